using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Piku.Server.Ssh.Crypto;
using Piku.Server.Ssh.Wire;
using Piku.Tests.Ssh;

namespace Piku.Tests.EndToEnd;

/// <summary>Many at once, friends and others: everybody is served, and nothing is left of them.</summary>
[NeedsMachine]
public sealed class CrowdTests : IAsyncLifetime
{
    private const int AtOnce = 8, ConnectionsOfOneAddress = 10, Strangers = 1000, StrangersAddresses = 5;

    /// <summary>In kilobytes. Most of it is what the kernel's and the cipher's state come to.</summary>
    private const int MostForOneConnection = 64;

    private const int MostThreads = 40;

    /// <summary>In kilobytes: what a heap may keep after a storm to be ready for the next.</summary>
    private const int MostLeftBehind = 40 * 1024;

    /// <summary>A busy daemon is still opening files of its own, for its first few seconds; of strangers there are a thousand.</summary>
    private const int MostFilesMore = 10;

    private readonly Ed25519 _key = RawClient.NewKey();
    private PikuInstance _piku = null!;

    private IPEndPoint EndPoint => new(IPAddress.Loopback, _piku.SshPort);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _piku = await PikuInstance.StartAsync();
        await File.AppendAllTextAsync(_piku.Paths.AuthorizedKeys, RawClient.Line(_key), Cancel);
    }

    public async ValueTask DisposeAsync()
    {
        await _piku.DisposeAsync();
        _key.Dispose();
    }

    [Fact]
    public Task Some_push_at_once_beside_a_hundred_who_only_listen() => PushBesideAsync(pushes: 6, listeners: 100);

    [Fact(Explicit = true)]
    public Task Fifty_push_at_once_beside_five_hundred_who_only_listen() => PushBesideAsync(pushes: 50, listeners: 500);

    [Fact]
    public async Task A_thousand_who_say_nothing_keep_nobody_out_and_leave_nothing_behind()
    {
        var before = await AtRestAsync();
        var silent = new List<Socket>();
        for (var i = 0; i < Strangers; i++)
            silent.Add(await ConnectAsync(Address(100 + (i % StrangersAddresses))));

        await ComesInAsync();

        silent.ForEach(socket => socket.Dispose());
        await AssertNothingIsLeftAsync(before);
    }

    [Fact]
    public async Task What_strangers_do_all_at_once_keeps_nobody_out_and_leaves_nothing_behind()
    {
        var before = await AtRestAsync();
        using var over = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var attacks = new Func<Socket, CancellationToken, Task>[] { DripAsync, ResetAsync, FloodAsync, GarbageAsync, StallAsync };
        var storm = attacks.Select((attack, i) => Task.Run(() => RepeatAsync(attack, Address(100 + i), over.Token), Cancel)).ToArray();

        for (var i = 0; i < 5; i++)
            await ComesInAsync();

        await over.CancelAsync();
        Assert.All(await Task.WhenAll(storm), times => Assert.NotEqual(0, times));
        await AssertNothingIsLeftAsync(before);
    }

    private async Task PushBesideAsync(int pushes, int listeners)
    {
        var before = await AtRestAsync();
        var idle = await EnterAsync(listeners);
        var crowded = ProcessFigures.Of(_piku.ProcessId);
        var listening = idle.Select(ListenAsync).ToList();
        var each = (crowded.Resident - before.Resident) / listeners;
        TestContext.Current.TestOutputHelper!.WriteLine($"{each} KB and {crowded.OpenFiles - before.OpenFiles} files for {listeners} connections; {crowded.Threads} threads");

        var repository = await Repository.FromExampleAsync(_piku.Client, "static", "site");
        repository.Write("ENV", "");
        await repository.CommitAsync();
        var runs = await Task.WhenAll(Enumerable.Range(0, pushes).Select(i => Programs.CaptureAsync(
            _piku.Client.Git(repository.Folder, "push", _piku.Client.Remote($"site{i}"), "main"))));

        Assert.All(runs, push => Assert.True(push.Status.Succeeded, push.Error + _piku.Output));
        Assert.Equal(pushes, (await _piku.Client.CommandAsync("apps")).Count(c => c == '\n'));
        Assert.InRange(each, 0, MostForOneConnection);
        Assert.InRange(ProcessFigures.Of(_piku.ProcessId).Threads, 1, MostThreads);
        foreach (var client in idle)
            await client.SendAsync(MessageNumber.GlobalRequest, fields => fields.Text("keepalive@openssh.com").Boolean(true));
        await Task.WhenAll(listening);
        foreach (var client in idle)
            await client.DisposeAsync();
    }

    /// <summary>Gives signs of life for as long as others take, until the server has answered a question.</summary>
    private static async Task ListenAsync(RawClient client)
    {
        while (RawClient.Number(await client.ReceiveAsync(Timeout.InfiniteTimeSpan)) is var heard and not MessageNumber.RequestFailure)
        {
            Assert.Equal(MessageNumber.GlobalRequest, heard);
            await client.SendAsync(MessageNumber.RequestFailure);
        }
    }

    private async Task<List<RawClient>> EnterAsync(int count)
    {
        var clients = new List<RawClient>();
        while (clients.Count < count)
        {
            var from = Address(2 + (clients.Count / ConnectionsOfOneAddress));
            var some = Math.Min(AtOnce, ConnectionsOfOneAddress - (clients.Count % ConnectionsOfOneAddress));
            clients.AddRange(await Task.WhenAll(Enumerable.Range(0, some).Select(_ => RawClient.EnterAsync(EndPoint, _key, from))));
        }
        return clients;
    }

    private async Task<Socket> ConnectAsync(IPAddress from)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Bind(new IPEndPoint(from, 0));
        await socket.ConnectAsync(EndPoint, Cancel);
        return socket;
    }

    /// <summary>What the daemon takes when it has been used once.</summary>
    private async Task<ProcessFigures> AtRestAsync()
    {
        await _piku.Client.CommandAsync("apps");
        return ProcessFigures.Of(_piku.ProcessId);
    }

    // Under a storm a start may be dropped, and all may be taken until the silent are given up after a minute; ssh's user tries again.
    private Task ComesInAsync() => Eventually.TrueAsync(
        async () => (await _piku.Client.SshAsync("-b", $"{Address(50)}", "version")).Status.Succeeded, TimeSpan.FromSeconds(120));

    private async Task AssertNothingIsLeftAsync(ProcessFigures before)
    {
        await Eventually.TrueAsync(
            () => ProcessFigures.Of(_piku.ProcessId).OpenFiles <= before.OpenFiles + MostFilesMore, TimeSpan.FromSeconds(90),
            () => $"{before} has become {ProcessFigures.Of(_piku.ProcessId)}");
        var after = ProcessFigures.Of(_piku.ProcessId);
        TestContext.Current.TestOutputHelper!.WriteLine($"{before} has become {after}");
        Assert.InRange(after.Resident - before.Resident, int.MinValue, MostLeftBehind);
        Assert.InRange(after.Threads, 1, MostThreads);
        Assert.DoesNotContain("internal error", _piku.Output, StringComparison.OrdinalIgnoreCase);
        await _piku.Client.CommandAsync("version");
    }

    /// <summary>As often as there is time for; the result is how often.</summary>
    private async Task<int> RepeatAsync(Func<Socket, CancellationToken, Task> attack, IPAddress from, CancellationToken over)
    {
        var times = 0;
        for (; !over.IsCancellationRequested; times++)
        {
            try
            {
                using var socket = await ConnectAsync(from);
                await attack(socket, over);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException)
            {
                continue; // shown the door, or it is over
            }
        }
        return times;
    }

    private static async Task DripAsync(Socket socket, CancellationToken over)
    {
        while (true)
        {
            await socket.SendAsync("S"u8.ToArray(), over);
            await Task.Delay(TimeSpan.FromMilliseconds(5), over);
        }
    }

    private static Task ResetAsync(Socket socket, CancellationToken over)
    {
        socket.LingerState = new LingerOption(enable: true, seconds: 0);
        return Task.CompletedTask;
    }

    /// <summary>SSH_MSG_IGNORE, as fast as it goes.</summary>
    private static async Task FloodAsync(Socket socket, CancellationToken over)
    {
        byte[] ignore = [0, 0, 0, 12, 6, (byte)MessageNumber.Ignore, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        await socket.SendAsync("SSH-2.0-x\r\n"u8.ToArray(), over);
        while (true)
            await socket.SendAsync(Enumerable.Repeat(ignore, 1000).SelectMany(bytes => bytes).ToArray(), over);
    }

    private static async Task GarbageAsync(Socket socket, CancellationToken over)
    {
        await socket.SendAsync("SSH-2.0-x\r\n"u8.ToArray(), over);
        await socket.SendAsync(RandomNumberGenerator.GetBytes(100_000), over);
    }

    /// <summary>The largest packet that a stranger may send is announced, and does not come.</summary>
    private static async Task StallAsync(Socket socket, CancellationToken over)
    {
        await socket.SendAsync("SSH-2.0-x\r\n"u8.ToArray(), over);
        await socket.SendAsync(new byte[] { 0, 0, 0x88, 0x44, 4, (byte)MessageNumber.KexInit }, over);
        await Task.Delay(TimeSpan.FromMilliseconds(200), over);
    }

    /// <summary>One of the loopback's many.</summary>
    private static IPAddress Address(int last) => new([127, 0, 0, (byte)last]);
}
