using System.Net;

namespace Piku.Server.Ssh.Admission;

/// <summary>Who is blocked, and who is about to be. Bounded: see <see cref="PenaltyLimits.Addresses"/>.</summary>
internal sealed class Penalties(PenaltyLimits limits, TimeProvider clock)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<IPAddress, Penalty> _penalties = [];
    private readonly SortedSet<Penalty> _byEnd = new(Comparer<Penalty>.Create(Penalty.Compare));
    private long _number;

    /// <summary>Adds to an address' penalties.</summary>
    /// <returns>How long it is blocked from now on; null unless a block begins with it.</returns>
    public TimeSpan? Add(IPAddress address, Fault fault)
    {
        var penalty = limits.For(fault);
        if (penalty == TimeSpan.Zero || limits.Exempt.Contains(address))
            return null;
        lock (_lock)
        {
            var (site, now) = (Site.Of(address), clock.GetUtcNow());
            Expire(now);
            if (_penalties.Remove(site, out var before))
                _byEnd.Remove(before);
            else if (_penalties.Count >= limits.Addresses)
                Forget(_byEnd.Min!);
            var end = Min((before?.End ?? now) + penalty, now + limits.Longest);
            var after = new Penalty(site, end, before?.IsBlock is true || end - now >= limits.Threshold, _number++);
            _penalties[site] = after;
            _byEnd.Add(after);
            return after.IsBlock && before?.IsBlock is not true ? end - now : null;
        }
    }

    public bool IsBlocked(IPAddress address)
    {
        lock (_lock)
        {
            Expire(clock.GetUtcNow());
            return _penalties.TryGetValue(Site.Of(address), out var penalty) && penalty.IsBlock;
        }
    }

    private void Expire(DateTimeOffset now)
    {
        while (_byEnd.Min is { } first && first.End <= now)
            Forget(first);
    }

    private void Forget(Penalty penalty)
    {
        _penalties.Remove(penalty.Site);
        _byEnd.Remove(penalty);
    }

    private static DateTimeOffset Min(DateTimeOffset left, DateTimeOffset right) => left < right ? left : right;

    /// <param name="IsBlock">Whether the sum has reached the threshold; what is below it only waits for more.</param>
    /// <param name="Number">Tells penalties that end together apart.</param>
    private sealed record Penalty(IPAddress Site, DateTimeOffset End, bool IsBlock, long Number)
    {
        public static int Compare(Penalty left, Penalty right) => (left.End, left.Number).CompareTo((right.End, right.Number));
    }
}
