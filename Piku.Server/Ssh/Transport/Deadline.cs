using Piku.Server.Ssh.Wire;

namespace Piku.Server.Ssh.Transport;

/// <summary>Ends a connection whose other side lets us wait for too long.</summary>
internal sealed class Deadline : IDisposable
{
    private readonly ITimer _timer;

    public Deadline(TimeProvider clock, ConnectionEnd end, SshProtocolException reason) =>
        _timer = clock.CreateTimer(_ => end.Because(reason), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    public void Set(TimeSpan after) => _timer.Change(after, Timeout.InfiniteTimeSpan);

    public void Lift() => _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    public void Dispose() => _timer.Dispose();
}
