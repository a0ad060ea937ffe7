using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace Piku.Server.Ssh.Admission;

/// <summary>A connection's place among those of its address; given back when it is disposed of.</summary>
internal sealed class Place(StartupGate gate, IPAddress site) : IDisposable
{
    [SuppressMessage("Usage", "CA2213", Justification = "A token source without a timer or a wait handle holds nothing to dispose of.")]
    private readonly CancellationTokenSource _displaced = new();
    private int _left;

    public IPAddress Site => site;

    /// <summary>Cancelled when somebody with fewer connections needs the place: the connection has to go, at once.</summary>
    public CancellationToken Displaced => _displaced.Token;

    /// <summary>Where it stands among the starting ones; null when it does not start any more. The gate's own.</summary>
    public LinkedListNode<Place>? Starting { get; set; }

    /// <summary>The client has proven who it is, and cannot be displaced any more.</summary>
    public void Keep() => gate.Keep(this);

    // On the pool: what is cancelled runs at once.
    public void Displace() => _ = _displaced.CancelAsync();

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _left, 1) == 0)
            gate.Leave(this);
    }
}
