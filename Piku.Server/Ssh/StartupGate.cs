using System.Net;
using System.Net.Sockets;

namespace Piku.Server.Ssh;

/// <summary>Bounds how many connections may be busy proving themselves, in all and from one address.</summary>
internal sealed class StartupGate(SshLimits limits)
{
    /// <summary>A site has at least a /64 of IPv6 to itself (RFC 6177).</summary>
    private const int SitePrefix = 8;

    private readonly Lock _lock = new();
    private readonly Dictionary<IPAddress, int> _starting = [];
    private int _total;

    /// <summary>A place, to be disposed of when the connection has authenticated or ended; null when there is none.</summary>
    public IDisposable? TryEnter(IPAddress address)
    {
        var site = SiteOf(address);
        lock (_lock)
        {
            var here = _starting.GetValueOrDefault(site);
            if (_total >= limits.StartingConnections || here >= limits.StartingConnectionsPerAddress)
                return null;
            _starting[site] = here + 1;
            _total++;
        }
        return new Place(this, site);
    }

    private void Leave(IPAddress site)
    {
        lock (_lock)
        {
            _total--;
            if (--_starting[site] == 0)
                _starting.Remove(site);
        }
    }

    private static IPAddress SiteOf(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6 || IPAddress.IsLoopback(address))
            return address;
        var bytes = address.GetAddressBytes();
        bytes.AsSpan(SitePrefix).Clear();
        return new IPAddress(bytes);
    }

    private sealed class Place(StartupGate gate, IPAddress site) : IDisposable
    {
        private int _left;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0)
                gate.Leave(site);
        }
    }
}
