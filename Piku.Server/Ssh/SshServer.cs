using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Piku.Server.Ssh.Admission;
using Piku.Server.Ssh.Crypto;
using Piku.Server.Ssh.Transport;

namespace Piku.Server.Ssh;

/// <summary>
/// An SSH server (RFC 4251 to 4254). It knows nothing of what it serves: all of that is the handler, which runs
/// one session and returns its exit status.
/// </summary>
/// <param name="handler">
/// Runs a session. Its token is cancelled when the client has gone or has to; what it throws is logged, and the client
/// sees "internal error" with the session's id.
/// </param>
internal sealed class SshServer(
    SshServerOptions options, Func<SshSession, CancellationToken, Task<int>> handler, ILogger<SshServer> logger) : IAsyncDisposable
{
    private const int IdLength = 8;

    /// <summary>After a failure to accept, which is a lack of something (of file descriptors, most likely).</summary>
    private static readonly TimeSpan AcceptPause = TimeSpan.FromMilliseconds(100);

    private readonly Doorman _doorman = new(options, logger);
    private SshServerOptions _options = options;
    private readonly ConcurrentDictionary<SshConnection, Task> _connections = new();
    private readonly ConcurrentDictionary<Socket, Task> _introductions = new();
    private readonly CancellationTokenSource _stopping = new();
    private IReadOnlyList<Socket> _listeners = [];
    private Task _accepting = Task.CompletedTask;

    /// <summary>Where it listens, with the ports that were taken for 0.</summary>
    public IReadOnlyList<IPEndPoint> BoundEndPoints { get; private set; } = [];

    /// <summary>Begins to listen on all end points, or on none.</summary>
    /// <exception cref="SshListenException">An end point is in use or not ours to use.</exception>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        _listeners = SshListeners.Open(_options);
        BoundEndPoints = [.. _listeners.Select(listener => (IPEndPoint)listener.LocalEndPoint!)];
        foreach (var endPoint in BoundEndPoints)
            logger.Listening(endPoint);
        _accepting = Task.WhenAll(_listeners.Select(AcceptAsync));
        return Task.CompletedTask;
    }

    /// <summary>Uses other host keys for the connections that come from now on.</summary>
    public void UseHostKeys(IReadOnlyList<HostKey> hostKeys) => Volatile.Write(ref _options, _options with { HostKeys = hostKeys });

    /// <summary>
    /// Takes no more connections, tells the sessions that it stops, asks those to end that have not within
    /// <see cref="SshLimits.StopGrace"/>, and tells every client. All of it is bounded by the limits.
    /// </summary>
    /// <param name="hurry">Ends the grace.</param>
    public async Task StopAsync(CancellationToken hurry)
    {
        await _stopping.CancelAsync();
        foreach (var listener in _listeners)
            listener.Dispose();
        _listeners = [];
        await _accepting;
        await Task.WhenAll(_introductions.Values);
        await Task.WhenAll(_connections.Select(connection => Task.WhenAll(connection.Key.StopAsync(hurry), connection.Value)));
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(hurry: new(canceled: true));
        _stopping.Dispose();
    }

    private async Task AcceptAsync(Socket listener)
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                Receive(await listener.AcceptAsync(_stopping.Token));
            }
            catch (Exception e) when (_stopping.IsCancellationRequested && e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException e)
            {
                logger.AcceptFailed(e.Message);
                await Task.Delay(AcceptPause, CancellationToken.None);
            }
        }
    }

    private void Receive(Socket socket)
    {
        if (socket.RemoteEndPoint is not IPEndPoint peer)
            socket.Dispose();
        else if (!_options.Proxies.Contains(peer.Address))
            Enter(socket, peer);
        else if (_introductions.Count >= _options.Limits.Startups.Full)
            _doorman.Refuse(socket, peer, RefusalKind.ManyStarting);
        else
            _introductions[socket] = IntroduceAsync(socket, peer);
    }

    /// <summary>Hears from a proxy whose connection it is.</summary>
    private async Task IntroduceAsync(Socket socket, IPEndPoint proxy)
    {
        var limits = _options.Limits;
        await Task.Yield(); // who calls notes us down first; we strike ourselves out
        using var late = new CancellationTokenSource(limits.ProxyHeaderWithin, _options.Clock);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token, late.Token);
        try
        {
            Enter(socket, await ProxyHeader.ReceiveAsync(socket, limits.ProxyHeaderLength, patience.Token) ?? proxy);
        }
        catch (Exception e) when (e is FormatException or SocketException or OperationCanceledException)
        {
            logger.ProxyHeaderRefused(proxy, e.Message);
            _doorman.Refuse(socket, proxy, RefusalKind.NoProxyHeader);
        }
        finally
        {
            _introductions.TryRemove(socket, out _);
        }
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "The connection owns its place.")]
    private void Enter(Socket socket, IPEndPoint client)
    {
        var remote = client.Address.IsIPv4MappedToIPv6 ? new IPEndPoint(client.Address.MapToIPv4(), client.Port) : client;
        if (_doorman.Admit(socket, remote) is not { } place)
            return;
        var id = RandomNumberGenerator.GetHexString(IdLength, lowercase: true);
        logger.ConnectionStarted(id, remote);
        var connection = new SshConnection(socket, remote, place, id, Volatile.Read(ref _options), handler, logger);
        var running = Task.Run(connection.RunAsync);
        _connections[connection] = running;
        running.ContinueWith(_ => Leave(connection, remote.Address), TaskScheduler.Default);
    }

    private void Leave(SshConnection connection, IPAddress address)
    {
        _connections.TryRemove(connection, out _);
        _doorman.Judge(address, connection.Fault);
    }
}
