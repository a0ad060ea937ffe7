using System.Buffers.Binary;
using System.Text;
using Piku.Server.Sftp;

namespace Piku.Tests.Sftp;

/// <summary>Every request that a client can make up gets an answer, and reaches nothing outside.</summary>
[NeedsMachine]
public sealed class AnSftpPacket
{
    private const int Rounds = 30_000;

    [Fact]
    public async Task Is_answered_whatever_its_bytes()
    {
        await using var files = await FileServer.StartAsync();
        var random = new Random(4);
        var seeds = Seeds();
        using var requests = new SftpRequests(files.Tree());
        var answers = new SftpWriter();
        for (var round = 0; round < Rounds; round++)
        {
            var packet = Mutation.Of(seeds[random.Next(seeds.Length)], random, fewest: 0, most: 3);
            answers.Clear();
            if (requests.TryAnswer(packet, answers))
                Assert.Equal(answers.Length - 4, BinaryPrimitives.ReadInt32BigEndian(answers.Written.Span));
            Assert.True(answers.Length <= SftpServer.MaxPacket + 64);
        }
        Assert.Equal("secret", await File.ReadAllTextAsync(files.At("authorized_keys"), TestContext.Current.CancellationToken));
        Assert.Equal("secret", await File.ReadAllTextAsync(files.At("data/hidden/secret"), TestContext.Current.CancellationToken));
        Assert.Equal("stock", await File.ReadAllTextAsync(files.At("apps/shop/stock"), TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData(new byte[] { 0, 0, 0, 0 })]
    [InlineData(new byte[] { 0, 0, 0, 1, 1 })]
    [InlineData(new byte[] { 0xff, 0xff, 0xff, 0xff, 1 })]
    [InlineData(new byte[] { 0, 0, 0, 5, 3, 0, 0, 0, 1 })]
    public async Task Ends_the_session_when_it_is_none(byte[] bytes)
    {
        await using var files = await FileServer.StartAsync();
        using var server = new SftpServer(files.Tree());
        using var input = new MemoryStream(bytes);
        Assert.False(await server.ServeAsync(input, Stream.Null, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Opens_no_more_files_than_allowed()
    {
        await using var files = await FileServer.StartAsync();
        using var requests = new SftpRequests(files.Tree());
        var answers = new SftpWriter();
        for (var i = 0; i < HandleTable.Most; i++)
            requests.TryAnswer(Packet(11, "/data/blog"), answers);
        answers.Clear();
        requests.TryAnswer(Packet(11, "/data/blog"), answers);
        Assert.Equal((byte)PacketType.Status, answers.Written.Span[4]);
    }

    private static byte[][] Seeds() =>
    [
        .. ((byte[])[7, 11, 13, 15, 16, 17, 19]).Select(type => Packet(type, "/data/blog/file")),
        [.. Packet(3, "/data/blog/file"), 0, 0, 0, 0x1a, 0, 0, 0, 0],
        [.. Packet(3, "/logs/blog/web.1.log"), 0, 0, 0, 1, 0, 0, 0, 0],
        [.. Packet(14, "/data/blog/folder"), 0, 0, 0, 4, 0, 0, 1, 0xff],
        [.. Packet(9, "/data/blog/file"), 0, 0, 0, 0xd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 1, 0xff, 0, 0, 0, 1, 0, 0, 0, 2],
        [.. Packet(18, "/data/blog/file"), .. Text("/data/blog/../blog/other")],
        [.. Packet(20, "../x"), .. Text("/data/blog/link")],
        [.. Packet(200, "posix-rename@openssh.com"), .. Text("/data/blog/other"), .. Text("/data/hidden/secret")],
        Packet(200, "limits@openssh.com"),
        [5, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0],
        [6, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3],
        [4, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 1],
        [8, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 1],
        [12, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 1],
    ];

    private static byte[] Packet(byte type, string text) => [type, 0, 0, 0, 1, .. Text(text)];

    private static byte[] Text(string text) => [0, 0, 0, (byte)text.Length, .. Encoding.UTF8.GetBytes(text)];
}
