using System.Net;
using System.Net.Sockets;
using Piku.Core.Model;
using Piku.Core.Services;

namespace Piku.Tests.Services;

/// <summary>The list as Cloudflare's API has it, from a server on this machine.</summary>
[NeedsMachine]
public sealed class CloudflareNetworksTests : IDisposable
{
    private const string Good = """{"result":{"ipv4_cidrs":["173.245.48.0/20","103.21.244.0/22"],"ipv6_cidrs":["2400:cb00::/32"],"etag":"x"},"success":true,"errors":[],"messages":[]}""";

    private static readonly string[] Networks = ["173.245.48.0/20", "103.21.244.0/22", "2400:cb00::/32"];

    private readonly TemporaryFolder _folder = new();
    private readonly PikuPaths _paths;

    public CloudflareNetworksTests()
    {
        _paths = new PikuPaths(_folder.Path);
        Directory.CreateDirectory(_paths.State);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_list_is_fetched_and_kept()
    {
        using var server = new ListServer(Good);
        var known = await ReadAsync(server.Address);
        Assert.Equal(Networks, known.Networks);
        Assert.Null(known.Problem);

        server.Dispose();
        var kept = await ReadAsync(server.Address);
        Assert.Equal(Networks, kept.Networks);
        Assert.Equal($"no connection to {server.Address.Authority}", kept.Problem);
    }

    [Theory]
    [InlineData("""{"result":{"ipv4_cidrs":[],"ipv6_cidrs":["2400:cb00::/32"]}}""")]
    [InlineData("""{"result":{"ipv4_cidrs":["173.245.48.0/20"],"ipv6_cidrs":[]}}""")]
    [InlineData("""{"result":{"ipv4_cidrs":["0.0.0.0/0"],"ipv6_cidrs":["2400:cb00::/32"]}}""")]
    [InlineData("""{"result":{"ipv4_cidrs":["173.245.48.0/20; allow all"],"ipv6_cidrs":["2400:cb00::/32"]}}""")]
    [InlineData("""{"result":{"ipv4_cidrs":["2400:cb00::/32"],"ipv6_cidrs":["2400:cb00::/32"]}}""")]
    [InlineData("""{"result":{"ipv4_cidrs":[17],"ipv6_cidrs":["2400:cb00::/32"]}}""")]
    [InlineData("""{"result":{"ipv4_cidrs":"173.245.48.0/20","ipv6_cidrs":["2400:cb00::/32"]}}""")]
    [InlineData("""{"result":null,"success":false}""")]
    [InlineData("[]")]
    [InlineData("<html>")]
    [InlineData("")]
    public async Task What_is_not_the_whole_list_is_none_of_it(string answer)
    {
        using var server = new ListServer(answer);
        var known = await ReadAsync(server.Address);
        Assert.Null(known.Networks);
        Assert.Equal("its answer is no list of networks", known.Problem);
        Assert.False(File.Exists(_paths.CloudflareNetworks));
    }

    [Fact]
    public async Task An_answer_without_end_or_of_another_kind_is_none()
    {
        using var endless = new ListServer(new string(' ', 1 << 20));
        Assert.Equal("its answer is too long", (await ReadAsync(endless.Address)).Problem);
        using var elsewhere = new ListServer(Good, "302 Found\r\nLocation: http://127.0.0.1:1/");
        Assert.Equal("the answer is 302", (await ReadAsync(elsewhere.Address)).Problem);
    }

    [Fact]
    public async Task A_kept_list_that_somebody_has_spoilt_is_none()
    {
        await File.WriteAllTextAsync(_paths.CloudflareNetworks, "173.245.48.0/20\nall\n", TestContext.Current.CancellationToken);
        Assert.Null((await ReadAsync(new Uri("http://127.0.0.1:1/"))).Networks);
    }

    private Task<KnownNetworks> ReadAsync(Uri source) => new CloudflareNetworks(_paths, source).ReadAsync(TestContext.Current.CancellationToken);
}

/// <summary>Answers every request in the same way.</summary>
internal sealed class ListServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly byte[] _answer;

    public ListServer(string body, string status = "200 OK")
    {
        _answer = System.Text.Encoding.UTF8.GetBytes($"HTTP/1.1 {status}\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n{body}");
        _listener.Start();
        Address = new Uri($"http://{_listener.LocalEndpoint}/ips");
        _ = ServeAsync();
    }

    public Uri Address { get; }

    public int Requests { get; private set; }

    public void Dispose() => _listener.Dispose();

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                using var client = await _listener.AcceptTcpClientAsync();
                Requests++;
                await AnswerAsync(client);
            }
        }
        catch (Exception over) when (over is SocketException or ObjectDisposedException)
        {
            // The test has ended.
        }
    }

    private async Task AnswerAsync(TcpClient client)
    {
        try
        {
            var stream = client.GetStream();
            var read = new byte[8192];
            for (var length = 0; !read.AsSpan(0, length).EndsWith("\r\n\r\n"u8);)
            {
                var more = await stream.ReadAsync(read.AsMemory(length));
                if (more == 0)
                    return;
                length += more;
            }
            await stream.WriteAsync(_answer);
        }
        catch (IOException)
        {
            // The client has heard enough.
        }
    }
}
