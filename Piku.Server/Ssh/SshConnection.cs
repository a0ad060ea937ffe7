using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Piku.Server.Ssh.Authentication;
using Piku.Server.Ssh.Connection;
using Piku.Server.Ssh.Transport;
using Piku.Server.Ssh.Wire;

namespace Piku.Server.Ssh;

/// <summary>The life of one connection: versions and keys, then who it is, then its channels, then the farewell.</summary>
internal sealed class SshConnection
{
    private readonly ConnectionEnd _end = new();
    private readonly Socket _socket;
    private readonly IDisposable _place;
    private readonly SshServerOptions _options;
    private readonly Func<SshSession, CancellationToken, Task<int>> _handler;
    private readonly ILogger _logger;
    private readonly string _id;
    private ConnectionProtocol? _protocol;
    private AuthenticatedUser? _user;
    private string? _clientVersion;

    /// <param name="socket">Accepted; the connection owns it.</param>
    /// <param name="place">Given back when the client has authenticated.</param>
    /// <param name="id">Names the connection in the log.</param>
    public SshConnection(
        Socket socket,
        IDisposable place,
        string id,
        SshServerOptions options,
        Func<SshSession, CancellationToken, Task<int>> handler,
        ILogger logger)
    {
        (_socket, _place, _id, _options, _handler, _logger) = (socket, place, id, options, handler, logger);
    }

    /// <summary>Lets the sessions end, within bounds, and then the connection.</summary>
    public async Task StopAsync()
    {
        if (_protocol is { } protocol)
            await protocol.FinishAsync();
        _end.Because(new SshProtocolException(DisconnectReason.ByApplication, "the server is stopping"));
    }

    /// <summary>Runs the connection to its end; whatever happens stays here.</summary>
    public async Task RunAsync()
    {
        var started = Stopwatch.GetTimestamp();
        var remote = (IPEndPoint)_socket.RemoteEndPoint!;
        using (_socket)
        using (_place)
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
        _options.ConnectionEnded(new(_id, remote, _user, _clientVersion, _end.Reason?.Message, Stopwatch.GetElapsedTime(started)));
    }

    private async Task ServeAsync(SshTransport transport, CancellationToken cancellationToken)
    {
        _user = await EnterAsync(transport, cancellationToken);
        _protocol = new ConnectionProtocol(transport, new(
            _id, _user, _end, (IPEndPoint)_socket.RemoteEndPoint!, (IPEndPoint)_socket.LocalEndPoint!, _options, _handler, _logger));
        transport.Send(HostKeyRotation.Announcement(_options.HostKeys));
        await _protocol.RunAsync(cancellationToken);
    }

    private async Task<AuthenticatedUser> EnterAsync(SshTransport transport, CancellationToken cancellationToken)
    {
        using var grace = new Deadline(_end, new SshProtocolException(
            DisconnectReason.ByApplication, $"no authentication within {_options.Limits.LoginGrace.TotalSeconds} seconds"));
        grace.Set(_options.Limits.LoginGrace);
        await transport.OpenAsync(cancellationToken);
        _clientVersion = transport.ClientVersion;
        var user = await new UserAuthentication(transport, _options, ((IPEndPoint)_socket.RemoteEndPoint!).Address, _logger, _id).RunAsync(cancellationToken);
        transport.Trust();
        _place.Dispose();
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

    // Politely, and then not: both within bounds.
    private async Task SayFarewellAsync(SshTransport transport, Task sending, CancellationTokenSource abort)
    {
        abort.CancelAfter(_end.Reason is ConnectionLostException ? TimeSpan.Zero : _options.Limits.Farewell);
        transport.Farewell(_end.Reason as SshProtocolException);
        try
        {
            await sending;
            if (_end.Reason is SshProtocolException)
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
