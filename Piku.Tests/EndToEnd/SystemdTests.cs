using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;
using Piku.Core.Model;

namespace Piku.Tests.EndToEnd;

/// <summary>The daemon under a service manager, in systemd's way of speaking: sd_notify(3) and sd_listen_fds(3).</summary>
[NeedsMachine]
public sealed class SystemdTests
{
    /// <summary>What a socket unit does: opens something as descriptor 3, keeps it when it listens, and becomes the program.</summary>
    private const string Launcher = """
        import os, signal, socket, sys
        kind, port, command = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
        if kind == 'listening':
            given = socket.create_server(('127.0.0.1', port))
        elif kind == 'silent':
            given = socket.socket()
        elif kind == 'datagram':
            given = socket.socket(type=socket.SOCK_DGRAM)
        elif kind == 'unix':
            given = socket.socket(socket.AF_UNIX)
        elif kind == 'file':
            given = open('/dev/null')
        if kind == 'closed':
            os.closerange(3, 64)
        else:
            os.dup2(given.fileno(), 3)
            os.set_inheritable(3, True)
        if kind == 'listening' and os.fork() == 0:
            os.setsid()
            null = os.open('/dev/null', os.O_RDWR)
            for stream in range(3):
                os.dup2(null, stream)
            os.closerange(4, 64)
            while True:
                signal.pause()
        os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1', LISTEN_FDNAMES='piku.socket')
        os.execvp(command[0], command)
        """;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task It_says_when_it_is_ready_that_it_lives_and_when_it_stops(bool isAbstract)
    {
        using var manager = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        var said = new ConcurrentQueue<string>();
        var listening = Task.CompletedTask;
        await using (var piku = await PikuInstance.StartAsync(async instance =>
        {
            var name = isAbstract ? $"@{instance.Home}" : Path.Combine(instance.Home, "notify");
            manager.Bind(new UnixDomainSocketEndPoint(isAbstract ? $"\0{name[1..]}" : name));
            if (!isAbstract)
                await PikuInstance.GiveToDaemonAsync(name);
            listening = ListenAsync(manager, said);
            instance.Environment = EnvMap.From([new("NOTIFY_SOCKET", name), new("WATCHDOG_USEC", "100000")]);
        }))
        {
            await Eventually.TrueAsync(() => said.Count >= 3, explain: () => string.Join('|', said));
            Assert.Equal([$"READY=1\nSTATUS=serves ssh and git on port {piku.SshPort}", "WATCHDOG=1", "WATCHDOG=1"], said.Take(3));
            Assert.DoesNotContain(Children(piku), child => EnvironmentOf(child).Contains("NOTIFY_SOCKET", StringComparison.Ordinal));

            Assert.True((await piku.StopDaemonAsync()).Succeeded, piku.Output);

            await Eventually.TrueAsync(() => said.Any(message => message.StartsWith("STOPPING=1\n", StringComparison.Ordinal)), explain: () => string.Join('|', said));
        }
        manager.Close();
        await listening;
    }

    [Fact]
    public async Task A_manager_that_is_gone_and_sockets_for_somebody_else_harm_nobody()
    {
        await using var piku = await PikuInstance.StartAsync(instance =>
        {
            instance.Environment = EnvMap.From([
                new("NOTIFY_SOCKET", Path.Combine(instance.Home, "gone")), new("LISTEN_PID", "1"), new("LISTEN_FDS", "1"),
            ]);
            return Task.CompletedTask;
        });
        await piku.Client.CommandAsync("version");
        Assert.True((await piku.StopDaemonAsync()).Succeeded, piku.Output);
    }

    [Fact]
    public async Task A_socket_that_listens_already_is_served_by_it_alone_and_listens_when_it_has_ended()
    {
        await using var piku = await PikuInstance.StartAsync(instance =>
        {
            instance.Launcher = Launch("listening", instance.SshPort);
            return Task.CompletedTask;
        });
        await piku.Client.CommandAsync("version");
        var passed = LinkOf(piku.ProcessId, 3);
        Assert.StartsWith("socket:", passed, StringComparison.Ordinal);
        Assert.Single(Children(piku), child => Enumerable.Range(3, 61).Any(descriptor => LinkOf(child, descriptor) == passed)); // who keeps it
        Assert.DoesNotContain(Children(piku), child => EnvironmentOf(child).Contains("LISTEN_FDS", StringComparison.Ordinal));

        Assert.True((await piku.StopDaemonAsync()).Succeeded, piku.Output);

        using var visitor = new TcpClient();
        await visitor.ConnectAsync("127.0.0.1", piku.SshPort, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task What_is_nothing_to_listen_on_is_refused_with_a_sentence()
    {
        await using var piku = await PikuInstance.StartAsync();
        Assert.True((await piku.StopDaemonAsync()).Succeeded, piku.Output);
        await AssertRefusedAsync("closed", "is no"); // it may be a file of the runtime's by then
        await AssertRefusedAsync("file", "is no TCP socket");
        await AssertRefusedAsync("datagram", "is no TCP socket");
        await AssertRefusedAsync("unix", "is no TCP socket");
        await AssertRefusedAsync("silent", "does not listen");

        async Task AssertRefusedAsync(string kind, string fault)
        {
            piku.Launcher = Launch(kind, port: 0);
            var run = await piku.LocalAsync("serve");
            Assert.Equal(1, run.Status.Code);
            Assert.StartsWith($"Error: the descriptor 3 ('piku.socket') that piku was started with {fault}", run.Error, StringComparison.Ordinal);
        }
    }

    private static string[] Launch(string kind, int port) => ["python3", "-c", Launcher, kind, $"{port}"];

    private static async Task ListenAsync(Socket manager, ConcurrentQueue<string> said)
    {
        var buffer = new byte[4096];
        try
        {
            while (true)
                said.Enqueue(Encoding.UTF8.GetString(buffer, 0, await manager.ReceiveAsync(buffer)));
        }
        catch (Exception over) when (over is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private static IEnumerable<int> Children(PikuInstance piku) => piku.Processes().Where(process => process != piku.ProcessId);

    private static string EnvironmentOf(int process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/environ");
        }
        catch (IOException)
        {
            return "";
        }
    }

    private static string LinkOf(int process, int descriptor)
    {
        try
        {
            return new FileInfo($"/proc/{process}/fd/{descriptor}").LinkTarget ?? "";
        }
        catch (IOException)
        {
            return "";
        }
    }
}
