using Microsoft.Extensions.Logging;
using Piku.Server.Ssh.Crypto;
using Piku.Server.Ssh.Wire;

namespace Piku.Tests.Ssh;

/// <summary>
/// What <see cref="AStranger"/>, <see cref="TheTransport"/> and <see cref="TheConnection"/> see refused, again and
/// again on one server: it serves on, and has given back what all of it took.
/// </summary>
[NeedsMachine]
[Collection(nameof(Alone))]
public sealed class AfterEveryAttack : IAsyncLifetime
{
    private const int Rounds = 30;

    /// <summary>In bytes; a hundredth of what the rounds take if nothing is given back. The log of the test is in it.</summary>
    private const long MostKept = 8 * 1024 * 1024;

    private readonly Ed25519 _known = RawClient.NewKey();
    private readonly Ed25519 _other = RawClient.NewKey();
    private TestServer _server = null!;
    private int _connections;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync((_, cancel) => Task.Delay(Timeout.Infinite, cancel).ContinueWith(_ => 0, TaskScheduler.Default));
        await File.AppendAllTextAsync(_server.AuthorizedKeysFile, RawClient.Line(_known), TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _known.Dispose();
        _other.Dispose();
    }

    [Fact]
    public async Task The_next_client_is_served_and_the_memory_is_given_back()
    {
        await AttackAsync(); // what is made once is made
        var before = await AtRestAsync();

        for (var round = 0; round < Rounds; round++)
            await AttackAsync();

        Assert.InRange(await AtRestAsync() - before, long.MinValue, MostKept);
        await using var client = await RawClient.EnterAsync(_server.EndPoint, _known);
        await client.OpenSessionAsync();
        Assert.Empty(_server.Log.LinesAt(LogLevel.Error));
    }

    private Func<Task>[] Attacks() =>
    [
        () => AsStrangerAsync(client => client.SendAsync(MessageNumber.UserAuthRequest, fields => fields
            .Text("alice").Text("ssh-connection").Text("publickey").Boolean(false).Text("ssh-ed25519").String(RawClient.Blob(_known)))),
        () => AsStrangerAsync(client => client.SendAsync(RawClient.SignedRequest(_known, _other, client.SessionId))),
        () => AsStrangerAsync(client => client.SendAsync(RawClient.SignedRequest(_known, _known, new byte[client.SessionId.Length]))),
        () => AsStrangerAsync(client => client.SendAsync(MessageNumber.UserAuthRequest, fields => fields.Text("alice").Text("ssh-connection").Text("none"))),
        () => AsStrangerAsync(client => client.SendAsync(MessageNumber.UserAuthRequest, fields => fields.Text(new string('a', 30_000)))),
        () => AsStrangerAsync(client => client.SendAsync(MessageNumber.ChannelOpen, fields => fields.Text("session").UInt32(0).UInt32(0).UInt32(0))),
        () => AsStrangerAsync(client => client.SendAsync(MessageNumber.NewKeys)),
        () => AsStrangerAsync(client => client.RequestServiceAsync("ssh-connection")),
        () => AsStrangerAsync(client => FloodAsync(client, 100, MessageNumber.Ignore, fields => fields.String(new byte[30_000]))),
        () => AsStrangerAsync(client => client.SendBytesAsync(new byte[1000])),
        () => BeforeKeysAsync(client => client.SendBytesAsync([0, 0, 0, 0])),
        () => BeforeKeysAsync(client => client.SendBytesAsync([0x7f, 0xff, 0xff, 0xff])),
        () => BeforeKeysAsync(client => client.SendBytesAsync([0, 0, 0x88, 0x44, 4])),
        () => BeforeKeysAsync(client => client.SendAsync(MessageNumber.Ignore, fields => fields.Text(""))),
        () => AsFriendAsync(client => FloodAsync(client, 40, MessageNumber.ChannelData, fields => fields.UInt32(0).String(new byte[64 * 1024]))),
        () => AsFriendAsync(client => client.SendAsync(MessageNumber.ChannelWindowAdjust, fields => fields.UInt32(0).UInt32(uint.MaxValue))),
        () => AsFriendAsync(client => FloodAsync(client, 100, MessageNumber.ChannelOpen, fields => fields.Text("session").UInt32(1).UInt32(1).UInt32(1))),
        () => AsFriendAsync(client => FloodAsync(client, 1000, MessageNumber.GlobalRequest, fields => fields.Text("x").Boolean(true))),
        () => AsFriendAsync(client => client.SendAsync(RawClient.Offer().Write())),
    ];

    private async Task AttackAsync()
    {
        foreach (var attack in Attacks())
        {
            _connections++;
            try
            {
                await attack();
            }
            catch (IOException)
            {
                // The server has had enough of it.
            }
        }
    }

    private async Task<long> AtRestAsync()
    {
        await Wait.UntilAsync(() => _server.Log.Lines.Count(line => line.Contains(" ended", StringComparison.Ordinal) && !line.Contains('/', StringComparison.Ordinal)) >= _connections);
        return GC.GetTotalMemory(forceFullCollection: true);
    }

    private async Task BeforeKeysAsync(Func<RawClient, Task> attack)
    {
        await using var client = await RawClient.ConnectAsync(_server.EndPoint);
        await client.SendTextAsync(RawClient.Version + "\r\n");
        await attack(client);
    }

    private async Task AsStrangerAsync(Func<RawClient, Task> attack)
    {
        await using var client = await RawClient.OpenAsync(_server.EndPoint);
        await attack(client);
        await client.ReceiveAsync();
    }

    /// <summary>With a session that waits, which is the server's channel 0.</summary>
    private async Task AsFriendAsync(Func<RawClient, Task> attack)
    {
        await using var client = await RawClient.EnterAsync(_server.EndPoint, _known);
        await client.ExecAsync(await client.OpenSessionAsync(), "wait");
        await attack(client);
        await client.ReceiveAsync();
    }

    private static async Task FloodAsync(RawClient client, int times, MessageNumber number, Action<MessageBuilder> fields)
    {
        for (var i = 0; i < times; i++)
            await client.SendAsync(number, fields);
    }
}
