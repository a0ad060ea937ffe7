using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging;
using Piku.Server.Ssh.Crypto;
using Piku.Server.Ssh.Wire;

namespace Piku.Tests.Ssh;

/// <summary>
/// Whole conversations in which any message may be spoiled, left out, doubled or out of its turn: the server ends the
/// connection or goes on, fails in nothing of its own, and serves the next client.
/// </summary>
[NeedsMachine]
public sealed class AGarbledConversation : IAsyncLifetime
{
    private const int Conversations = 200, ManyConversations = 20_000;

    /// <summary>Of a message that something happens to it; most must be right, or nothing gets beyond the first.</summary>
    private const double Spoiled = 0.15;

    private readonly Ed25519 _key = RawClient.NewKey();
    private readonly Ed25519 _stranger = RawClient.NewKey();
    private TestServer _server = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync(async (session, cancel) =>
        {
            await session.Input.CopyToAsync(session.Output, cancel);
            return 0;
        });
        await File.AppendAllTextAsync(_server.AuthorizedKeysFile, RawClient.Line(_key), Cancel);
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _key.Dispose();
        _stranger.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task Harms_nobody(bool isKnown) => ConverseAsync(Conversations, isKnown, seed: 7);

    /// <summary>Version, KEXINIT and share, as bytes: packets fall apart too.</summary>
    [Fact]
    public async Task Harms_nobody_before_there_are_keys()
    {
        var random = new Random(8);
        for (var i = 0; i < Conversations; i++)
        {
            await using var client = await RawClient.ConnectAsync(_server.EndPoint);
            byte[] opening =
            [
                .. Encoding.ASCII.GetBytes(RawClient.Version + "\r\n"),
                .. client.Seal(RawClient.Offer().Write()),
                .. client.Seal(Message(MessageNumber.KexEcdhInit, fields => fields.String(_key.PublicKey))),
                .. client.Seal(Message(MessageNumber.NewKeys, _ => { })),
            ];
            await client.SendBytesAsync(Mutation.Of(opening, random, fewest: 1, most: 3));
        }

        await AssertUnharmedAsync();
    }

    [Theory(Explicit = true)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Harms_nobody_however_often(bool isKnown)
    {
        var seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        await ConverseAsync(ManyConversations, isKnown, seed);
    }

    private async Task ConverseAsync(int times, bool isKnown, int seed)
    {
        var random = new Random(seed);
        for (var i = 0; i < times; i++)
        {
            await using var client = isKnown
                ? await RawClient.EnterAsync(_server.EndPoint, _key)
                : await RawClient.OpenAsync(_server.EndPoint);
            await SayAsync(client, isKnown ? KnownSays() : StrangerSays(client.SessionId), random);
        }

        await AssertUnharmedAsync();
    }

    private async Task AssertUnharmedAsync()
    {
        Assert.Equal("still serves", (await _server.SshAsync("cat", "still serves")).Output);
        Assert.Empty(_server.Log.LinesAt(LogLevel.Error));
    }

    private static async Task SayAsync(RawClient client, IReadOnlyList<byte[]> messages, Random random)
    {
        try
        {
            foreach (var message in messages)
            {
                foreach (var said in random.NextDouble() < Spoiled ? Spoil(message, messages, random) : [message])
                    await client.SendAsync(said);
            }
        }
        catch (IOException e) when (e.InnerException is SocketException)
        {
            // It has had enough of us.
        }
    }

    private static IEnumerable<byte[]> Spoil(byte[] message, IReadOnlyList<byte[]> others, Random random) => random.Next(5) switch
    {
        0 => [],
        1 => [message, message],
        2 => [others[random.Next(others.Count)], message],
        _ => [Mutation.Of(message, random, fewest: 1, most: 3) is { Length: > 0 } garbled ? garbled : [0]],
    };

    private IReadOnlyList<byte[]> StrangerSays(byte[] sessionId) =>
    [
        Message(MessageNumber.UserAuthRequest, fields => fields.Text("alice").Text("ssh-connection").Text("none")),
        RawClient.SignedRequest(_stranger, _stranger, sessionId),
        Message(MessageNumber.UserAuthRequest, fields => fields
            .Text("alice").Text("ssh-connection").Text("publickey").Boolean(false).Text("ssh-ed25519").String(RawClient.Blob(_key))),
        Message(MessageNumber.Ignore, fields => fields.Text("noise")),
        RawClient.SignedRequest(_key, _stranger, sessionId),
    ];

    private static IReadOnlyList<byte[]> KnownSays() =>
    [
        Message(MessageNumber.GlobalRequest, fields => fields.Text("keepalive@openssh.com").Boolean(true)),
        Message(MessageNumber.GlobalRequest, fields => fields.Text("hostkeys-prove-00@openssh.com").Boolean(true).String([1, 2, 3])),
        Message(MessageNumber.ChannelOpen, fields => fields.Text("session").UInt32(0).UInt32(1 << 20).UInt32(32768)),
        Request("env", fields => fields.Text("GIT_PROTOCOL").Text("version=2")),
        Request("pty-req", fields => fields.Text("xterm").UInt32(80).UInt32(24).UInt32(0).UInt32(0).String([53, 0, 0, 0, 1, 0])),
        Request("exec", fields => fields.Text("cat")),
        Message(MessageNumber.ChannelData, fields => fields.UInt32(0).Text("some data")),
        Request("window-change", fields => fields.UInt32(80).UInt32(24).UInt32(0).UInt32(0)),
        Message(MessageNumber.ChannelExtendedData, fields => fields.UInt32(0).UInt32(1).Text("more")),
        Message(MessageNumber.ChannelWindowAdjust, fields => fields.UInt32(0).UInt32(1000)),
        Message(MessageNumber.ChannelOpen, fields => fields
            .Text("direct-tcpip").UInt32(1).UInt32(1 << 20).UInt32(32768).Text("127.0.0.1").UInt32(1).Text("127.0.0.1").UInt32(1)),
        Request("signal", fields => fields.Text("TERM")),
        Message(MessageNumber.ChannelEof, fields => fields.UInt32(0)),
        Message(MessageNumber.ChannelClose, fields => fields.UInt32(0)),
        RawClient.Offer().Write(),
    ];

    private static byte[] Request(string type, Action<MessageBuilder> more) => Message(MessageNumber.ChannelRequest, fields =>
    {
        fields.UInt32(0).Text(type).Boolean(true);
        more(fields);
    });

    private static byte[] Message(MessageNumber number, Action<MessageBuilder> fields)
    {
        var builder = new MessageBuilder(number);
        fields(builder);
        return builder.ToArray();
    }
}
