using Piku.Server.Ssh.Transport;
using Piku.Server.Ssh.Wire;

namespace Piku.Server.Ssh.Connection;

/// <summary>
/// Watches over a connection: asks a silent client for a sign of life and ends the connection when none comes, and
/// ends one that nothing is done with. What a client's system has forgotten would else be kept for ever.
/// </summary>
internal sealed class Vigil : IDisposable
{
    private readonly ConnectionProtocol _connection;
    private readonly ConnectionEnd _end;
    private readonly SshLimits _limits;
    private readonly ITimer? _keepAlive;
    private readonly ITimer? _idle;
    private volatile bool _heard;
    private int _misses;
    private bool _wasIdle;

    public Vigil(ConnectionProtocol connection)
    {
        _connection = connection;
        _end = connection.Context.End;
        _limits = connection.Context.Options.Limits;
        var clock = connection.Context.Options.Clock;
        _keepAlive = Every(clock, _limits.KeepAliveInterval, LookForLife);
        _idle = Every(clock, _limits.IdleTimeout / 2, LookForUse);
    }

    /// <summary>Something has come from the client.</summary>
    public void Heard() => _heard = true;

    public void Dispose()
    {
        _keepAlive?.Dispose();
        _idle?.Dispose();
    }

    private static ITimer? Every(TimeProvider clock, TimeSpan time, Action look) =>
        time > TimeSpan.Zero ? clock.CreateTimer(_ => look(), null, time, time) : null;

    private void LookForLife()
    {
        if (_heard)
            (_heard, _misses) = (false, 0);
        else if (_misses++ < _limits.KeepAliveMisses)
            _connection.Ask();
        else
            _end.Because(new SshProtocolException(DisconnectReason.ConnectionLost, "the client gives no sign of life"));
    }

    // Two looks in a row: unused for between half and the whole of the time.
    private void LookForUse()
    {
        var isIdle = _connection.IsIdle;
        if (isIdle && _wasIdle)
            _end.Because(new SshProtocolException(DisconnectReason.ByApplication, "the connection was not used for too long"));
        _wasIdle = isIdle;
    }
}
