using System.Threading.Tasks.Sources;

namespace Piku.Server.Ssh.Transport;

/// <summary>Wakes one waiter. A signal that nobody waits for is kept for the next; waiting allocates nothing.</summary>
internal sealed class Signal : IValueTaskSource
{
    private const int Idle = 0, Set = 1, Waiting = 2;

    private ManualResetValueTaskSourceCore<bool> _core = new() { RunContinuationsAsynchronously = true };
    private int _state;

    /// <summary>Completes when the signal is given. At most one wait may be under way.</summary>
    public ValueTask WaitAsync()
    {
        if (Interlocked.CompareExchange(ref _state, Idle, Set) == Set)
            return ValueTask.CompletedTask;
        _core.Reset();
        if (Interlocked.CompareExchange(ref _state, Waiting, Idle) == Idle)
            return new ValueTask(this, _core.Version);
        Volatile.Write(ref _state, Idle);
        return ValueTask.CompletedTask;
    }

    public void Give()
    {
        if (Interlocked.Exchange(ref _state, Set) != Waiting)
            return;
        Volatile.Write(ref _state, Idle);
        _core.SetResult(true);
    }

    void IValueTaskSource.GetResult(short token) => _core.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}
