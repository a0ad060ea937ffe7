using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;

namespace Piku.Server.Ssh;

/// <summary>
/// An SSH server (RFC 4251 to 4254). It knows nothing of what it serves: all of that is the handler, which runs
/// one session and returns its exit status.
/// </summary>
/// <param name="handler">
/// Runs a session. Its token is cancelled when the client has gone or the server stops; what it throws is logged,
/// and the client sees "internal error" with the session's id.
/// </param>
internal sealed class SshServer(
    SshServerOptions options, Func<SshSession, CancellationToken, Task<int>> handler, ILogger<SshServer> logger) : IAsyncDisposable
{
    private const int Backlog = 128, IdLength = 8;

    /// <summary>Seconds without a sign of life until TCP asks for one; Linux waits two hours by itself.</summary>
    private const int KeepAliveAfter = 120;

    /// <summary>After a failure to accept, which is a lack of something (of file descriptors, most likely).</summary>
    private static readonly TimeSpan AcceptPause = TimeSpan.FromMilliseconds(100);

    private readonly StartupGate _gate = new(options.Limits);
    private readonly ConcurrentDictionary<SshConnection, Task> _connections = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<Socket> _listeners = [];
    private Task _accepting = Task.CompletedTask;

    /// <summary>Where it listens, with the ports that were taken for 0.</summary>
    public IReadOnlyList<IPEndPoint> BoundEndPoints { get; private set; } = [];

    /// <summary>Begins to listen on all end points, or on none.</summary>
    /// <exception cref="SshListenException">An end point is in use or not ours to use.</exception>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            foreach (var endPoint in options.EndPoints)
                _listeners.Add(Listen(endPoint));
        }
        catch (SshListenException)
        {
            CloseListeners();
            throw;
        }
        BoundEndPoints = [.. _listeners.Select(listener => (IPEndPoint)listener.LocalEndPoint!)];
        foreach (var endPoint in BoundEndPoints)
            logger.Listening(endPoint);
        _accepting = Task.WhenAll(_listeners.Select(AcceptAsync));
        return Task.CompletedTask;
    }

    /// <summary>
    /// Takes no more connections, asks the sessions to end, and tells every client. Bounded by the limits for
    /// sessions and farewells, or by the token.
    /// </summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        CloseListeners();
        await _accepting;
        await Task.WhenAll(_connections.Select(connection => Task.WhenAll(connection.Key.StopAsync(), connection.Value)))
            .WaitAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(CancellationToken.None);
        _stopping.Dispose();
    }

    private static Socket Listen(IPEndPoint endPoint)
    {
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (endPoint.AddressFamily == AddressFamily.InterNetworkV6)
                socket.DualMode = false;
            BeResponsive(socket);
            socket.Bind(endPoint);
            socket.Listen(Backlog);
            return socket;
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new SshListenException(endPoint, e);
        }
    }

    // Accepted sockets inherit these (tcp(7)): answers leave at once, and a client that has silently vanished is noticed.
    private static void BeResponsive(Socket listener)
    {
        listener.NoDelay = true;
        listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        listener.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, KeepAliveAfter);
    }

    private async Task AcceptAsync(Socket listener)
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                Enter(await listener.AcceptAsync(_stopping.Token));
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

    [SuppressMessage("Reliability", "CA2000", Justification = "The connection owns its place.")]
    private void Enter(Socket socket)
    {
        if (socket.RemoteEndPoint is not IPEndPoint remote || _gate.TryEnter(remote.Address) is not { } place)
        {
            logger.ConnectionRefused(socket.RemoteEndPoint);
            socket.Dispose();
            return;
        }
        var id = RandomNumberGenerator.GetHexString(IdLength, lowercase: true);
        logger.ConnectionStarted(id, remote);
        var connection = new SshConnection(socket, place, id, options, handler, logger);
        var running = Task.Run(connection.RunAsync);
        _connections[connection] = running;
        running.ContinueWith(_ => _connections.TryRemove(connection, out Task? _), TaskScheduler.Default);
    }

    private void CloseListeners()
    {
        foreach (var listener in _listeners)
            listener.Dispose();
        _listeners.Clear();
    }
}
