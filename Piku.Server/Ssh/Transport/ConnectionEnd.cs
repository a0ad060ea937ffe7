using System.Diagnostics.CodeAnalysis;

namespace Piku.Server.Ssh.Transport;

/// <summary>
/// Why a connection ends. The first reason wins and cancels everything that waits on behalf of the connection.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "A token source without a timer or a wait handle holds nothing to dispose of.")]
internal sealed class ConnectionEnd
{
    private readonly CancellationTokenSource _ended = new();
    private Exception? _reason;

    /// <summary>Cancelled as soon as there is a reason.</summary>
    public CancellationToken Token => _ended.Token;

    public Exception? Reason => Volatile.Read(ref _reason);

    public void Because(Exception reason)
    {
        // On the pool: what is cancelled runs its continuations at once, and the caller may hold a lock.
        if (Interlocked.CompareExchange(ref _reason, reason, null) is null)
            _ = _ended.CancelAsync();
    }
}
