using System.Net;
using System.Security.Cryptography;

namespace Piku.Server.Ssh.Admission;

/// <summary>
/// Bounds how many connections may be busy proving themselves, in all and from one address, and how many an address may
/// have at all. When places are short, whoever comes from an address with fewer starting connections takes the place of
/// the oldest one of the address with the most: a few addresses, however eager, keep nobody out. Each step takes the
/// logarithm of the number of addresses.
/// </summary>
internal sealed class StartupGate(SshLimits limits)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<IPAddress, Visitors> _sites = [];
    private readonly SortedSet<Visitors> _byStarting = new(Comparer<Visitors>.Create(Visitors.Compare));
    private int _starting;
    private long _number;

    /// <summary>A place; null, and why, when there is none.</summary>
    public Place? TryEnter(IPAddress address, out RefusalKind refusal)
    {
        var site = Site.Of(address);
        Place? displaced = null;
        Place place;
        lock (_lock)
        {
            var visitors = _sites.GetValueOrDefault(site);
            var (here, starting) = (visitors?.Connections ?? 0, visitors?.Starting.Count ?? 0);
            refusal = here >= limits.ConnectionsPerAddress ? RefusalKind.ManyOfOneAddress
                : starting >= limits.StartingConnectionsPerAddress ? RefusalKind.ManyStartingOfOneAddress
                : RefusalKind.ManyStarting;
            if (refusal != RefusalKind.ManyStarting || !TryMakeRoom(starting, out displaced))
                return null;
            visitors ??= _sites[site] = new(_number++);
            visitors.Connections++;
            place = new Place(this, site);
            Change(visitors, 1, () => place.Starting = visitors.Starting.AddLast(place));
        }
        displaced?.Displace();
        return place;
    }

    public void Keep(Place place)
    {
        lock (_lock)
            EndStart(place);
    }

    public void Leave(Place place)
    {
        lock (_lock)
        {
            EndStart(place);
            var visitors = _sites[place.Site];
            if (--visitors.Connections == 0)
                _sites.Remove(place.Site);
        }
    }

    /// <param name="starting">Connections of the one who comes.</param>
    /// <param name="displaced">Who has to go for it; null when there was room.</param>
    private bool TryMakeRoom(int starting, out Place? displaced)
    {
        displaced = null;
        if (RandomNumberGenerator.GetInt32(int.MaxValue) / (double)int.MaxValue >= limits.Startups.ChanceOfRefusal(_starting))
            return true;
        if (_byStarting.Max is not { } largest || largest.Starting.Count <= starting)
            return false;
        displaced = largest.Starting.First!.Value;
        EndStart(displaced);
        return true;
    }

    private void EndStart(Place place)
    {
        if (place.Starting is not { } node)
            return;
        var visitors = _sites[place.Site];
        Change(visitors, -1, () => visitors.Starting.Remove(node));
        place.Starting = null;
    }

    /// <summary>The order is by what changes.</summary>
    private void Change(Visitors visitors, int by, Action change)
    {
        _byStarting.Remove(visitors);
        change();
        _starting += by;
        if (visitors.Starting.Count > 0)
            _byStarting.Add(visitors);
    }

    /// <summary>The connections of one address.</summary>
    /// <param name="number">Tells addresses with as many apart.</param>
    private sealed class Visitors(long number)
    {
        /// <summary>The oldest first.</summary>
        public LinkedList<Place> Starting { get; } = [];

        public int Connections { get; set; }

        private long Number => number;

        public static int Compare(Visitors left, Visitors right) =>
            (left.Starting.Count, left.Number).CompareTo((right.Starting.Count, right.Number));
    }
}
