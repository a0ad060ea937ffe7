using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Piku.Server.Hosting.Systemd;

/// <summary>
/// Tells whoever has started us how we are: sd_notify(3) and sd_watchdog_enabled(3). Without a service manager, or when
/// it is gone, nothing is told and nothing fails: a daemon serves people, not its supervisor.
/// </summary>
internal sealed class ServiceManager : IAsyncDisposable
{
    /// <summary>For the manager to take a message, if its queue is full.</summary>
    private const int SendMilliseconds = 1000;

    private readonly UnixDomainSocketEndPoint? _manager;
    private readonly TimeSpan? _watchdog;
    private readonly CancellationTokenSource _over = new();
    private Task _living = Task.CompletedTask;

    private ServiceManager(UnixDomainSocketEndPoint? manager, TimeSpan? watchdog) => (_manager, _watchdog) = (manager, watchdog);

    /// <summary>Whom NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID name, which are gone then.</summary>
    public static ServiceManager Take() => new(
        EndPointOf(ServiceVariables.Take("NOTIFY_SOCKET")),
        IntervalOf(ServiceVariables.Take("WATCHDOG_USEC"), ServiceVariables.Take("WATCHDOG_PID")));

    /// <summary>Everything answers; from now on there are signs of life, if they are wanted.</summary>
    /// <param name="status">A sentence for people.</param>
    public void Ready(string status)
    {
        Send($"READY=1\nSTATUS={status}");
        if (_watchdog is { } interval)
            _living = LiveAsync(interval / 2); // as sd_watchdog_enabled(3) advises
    }

    /// <inheritdoc cref="Ready"/>
    public void Stopping(string status) => Send($"STOPPING=1\nSTATUS={status}");

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        await _living;
        _over.Dispose();
    }

    private async Task LiveAsync(TimeSpan interval)
    {
        using var timer = new PeriodicTimer(interval);
        try
        {
            do
                Send("WATCHDOG=1");
            while (await timer.WaitForNextTickAsync(_over.Token));
        }
        catch (OperationCanceledException)
        {
            // The daemon has ended.
        }
    }

    private void Send(string message)
    {
        if (_manager is null)
            return;
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { SendTimeout = SendMilliseconds };
            socket.SendTo(Encoding.UTF8.GetBytes(message), _manager);
        }
        catch (SocketException)
        {
            // It has gone, or takes nothing.
        }
    }

    /// <summary>A path, or an abstract name after an <c>@</c>; of other kinds there are none for a process of this machine.</summary>
    private static UnixDomainSocketEndPoint? EndPointOf(string? name)
    {
        try
        {
            return name?[0] switch
            {
                '/' => new(name),
                '@' => new($"\0{name[1..]}"),
                _ => null,
            };
        }
        catch (ArgumentException)
        {
            return null; // longer than a socket's name can be
        }
    }

    private static TimeSpan? IntervalOf(string? microseconds, string? process) =>
        long.TryParse(microseconds, NumberStyles.None, CultureInfo.InvariantCulture, out var interval) && interval is > 1 and < int.MaxValue * 1000L
        && (process is null || process == Environment.ProcessId.ToString(CultureInfo.InvariantCulture))
            ? TimeSpan.FromMicroseconds(interval)
            : null;
}
