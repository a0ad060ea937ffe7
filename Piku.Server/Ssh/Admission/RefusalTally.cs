namespace Piku.Server.Ssh.Admission;

/// <summary>
/// Whoever is refused could fill the log by coming again: of each kind of refusal one in a while is told, with how many
/// were not.
/// </summary>
internal sealed class RefusalTally(TimeProvider clock)
{
    /// <summary>Between two that are told.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<RefusalKind, (long Told, int Untold)> _kinds = [];

    /// <summary>How many of this kind were not told since the last that was; null when this one is not told either.</summary>
    public int? Count(RefusalKind kind)
    {
        lock (_lock)
        {
            var isKnown = _kinds.TryGetValue(kind, out var last);
            if (isKnown && clock.GetElapsedTime(last.Told) < Interval)
            {
                _kinds[kind] = last with { Untold = last.Untold + 1 };
                return null;
            }
            _kinds[kind] = (clock.GetTimestamp(), 0);
            return last.Untold;
        }
    }
}
