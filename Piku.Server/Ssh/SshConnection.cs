using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Piku.Server.Ssh.Admission;
using Piku.Server.Ssh.Authentication;
using Piku.Server.Ssh.Connection;
using Piku.Server.Ssh.Transport;
using Piku.Server.Ssh.Wire;

namespace Piku.Server.Ssh;

/// <summary>The life of one connection: versions and keys, then who it is, then its channels, then the farewell.</summary>
internal sealed class SshConnection
{
    /// <summary>For a socket to take one packet: it has room, or has had none for long.</summary>
    private static readonly TimeSpan HastyFarewell = TimeSpan.FromMilliseconds(50);

    private readonly ConnectionEnd _end = new();
    private readonly Socket _socket;
    private readonly IPEndPoint _remote;
    private readonly Place _place;
    private readonly SshServerOptions _options;
    private readonly Func<SshSession, CancellationToken, Task<int>> _handler;
    private readonly ILogger _logger;
    private readonly string _id;
    private readonly SshProtocolException _tooLate;
    private readonly SshProtocolException _displaced =
        new(DisconnectReason.TooManyConnections, "too many connections are starting; try again");

    private ConnectionProtocol? _protocol;
    private UserAuthentication? _authentication;
    private AuthenticatedUser? _user;
    private string? _clientVersion;

    /// <param name="socket">Accepted; the connection owns it.</param>
    /// <param name="remote">Where the client is, which a proxy may be in front of.</param>
    /// <param name="place">Given back when the connection has ended.</param>
    /// <param name="id">Names the connection in the log.</param>
    public SshConnection(
        Socket socket,
        IPEndPoint remote,
        Place place,
        string id,
        SshServerOptions options,
        Func<SshSession, CancellationToken, Task<int>> handler,
        ILogger logger)
    {
        (_socket, _remote, _place, _id, _options, _handler, _logger) = (socket, remote, place, id, options, handler, logger);
        _tooLate = new(DisconnectReason.ByApplication, $"no authentication within {options.Limits.LoginGrace.TotalSeconds} seconds");
    }

    /// <summary>What it has done wrong as a whole; known when it has ended.</summary>
    public Fault Fault =>
        _user is not null || _end.Reason == _displaced ? Fault.None
        : _end.Reason == _tooLate ? Fault.Silence
        : _authentication is { Refusals: > 0 } ? Fault.Failure
        : Fault.NoTry;

    /// <summary>Lets the sessions end, within bounds, and then the connection.</summary>
    public async Task StopAsync(CancellationToken hurry)
    {
        if (_protocol is { } protocol)
            await protocol.FinishAsync(hurry);
        _end.Because(new SshProtocolException(DisconnectReason.ByApplication, "the server is stopping"));
    }

    /// <summary>Runs the connection to its end; whatever happens stays here.</summary>
    public async Task RunAsync()
    {
        var started = Stopwatch.GetTimestamp();
        using (_socket)
        using (_place)
        using (_place.Displaced.Register(() => _end.Because(_displaced)))
        using (var transport = new SshTransport(_socket, _options, _end))
        using (var abort = new CancellationTokenSource())
        {
            var sending = GuardAsync(() => transport.SendLoopAsync(abort.Token));
            await GuardAsync(() => ServeAsync(transport, _end.Token));
            _protocol?.Abandon();
            await SayFarewellAsync(transport, sending, abort);
            if (_protocol is not null)
                await _protocol.EndAsync();
        }
        _logger.ConnectionEnded(_id, _end.Reason?.Message);
        _options.Record(new SshConnectionRecord(
            _id, _remote.Address, _user, _clientVersion, _end.Reason?.Message, Stopwatch.GetElapsedTime(started)));
    }

    private async Task ServeAsync(SshTransport transport, CancellationToken cancellationToken)
    {
        _user = await EnterAsync(transport, cancellationToken);
        _protocol = new ConnectionProtocol(transport, new(
            _id, _user, _end, _remote, (IPEndPoint)_socket.LocalEndPoint!, _options, _handler, _logger));
        transport.Send(HostKeyRotation.Announcement(_options.HostKeys));
        await _protocol.RunAsync(cancellationToken);
    }

    private async Task<AuthenticatedUser> EnterAsync(SshTransport transport, CancellationToken cancellationToken)
    {
        using var grace = new Deadline(_options.Clock, _end, _tooLate);
        grace.Set(_options.Limits.LoginGrace);
        await transport.OpenAsync(cancellationToken);
        _clientVersion = transport.ClientVersion;
        _authentication = new(transport, _options, _remote.Address, _logger, _id);
        var user = await _authentication.RunAsync(cancellationToken);
        transport.Trust();
        _place.Keep();
        _options.Record(new SshLogin(_id, _remote.Address, user, transport.ClientVersion));
        _logger.Authenticated(_id, user.Name, user.Key.Name, user.Key.Type.Name, user.Key.Fingerprint, transport.ClientVersion);
        return user;
    }

    [SuppressMessage("Design", "CA1031", Justification = "Whatever goes wrong ends this connection only.")]
    private async Task GuardAsync(Func<Task> part)
    {
        try
        {
            await part();
        }
        catch (OperationCanceledException) when (_end.Reason is not null)
        {
            // It has ended for the reason that was given.
        }
        catch (Exception e) when (e is SshProtocolException or ConnectionLostException)
        {
            _end.Because(e);
        }
        catch (Exception e)
        {
            _logger.ConnectionFailed(_id, e);
            _end.Because(new SshProtocolException(DisconnectReason.ByApplication, $"internal error ({_id})"));
        }
    }

    // Politely, and then not: both within bounds. Whoever needs the place of a displaced one does not wait for its manners.
    private async Task SayFarewellAsync(SshTransport transport, Task sending, CancellationTokenSource abort)
    {
        abort.CancelAfter(
            _end.Reason is ConnectionLostException ? TimeSpan.Zero
            : _end.Reason == _displaced ? HastyFarewell
            : _options.Limits.Farewell);
        transport.Farewell(_end.Reason as SshProtocolException);
        try
        {
            await sending;
            if (_end.Reason is SshProtocolException && _end.Reason != _displaced)
            {
                _socket.Shutdown(SocketShutdown.Send);
                await transport.DrainAsync(abort.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            _logger.FarewellFailed(_id, e.Message);
        }
    }
}
