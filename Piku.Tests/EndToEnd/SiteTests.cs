using System.Net.WebSockets;
using System.Text;
using Piku.Core.Machine;

namespace Piku.Tests.EndToEnd;

/// <summary>What nginx does for a web app, asked by curl and by a WebSocket.</summary>
[NeedsMachine]
public sealed class SiteTests(SiteTests.WebApp shared) : IClassFixture<SiteTests.WebApp>, IAsyncLifetime
{
    /// <summary>Counts requests, and gives back what comes by a WebSocket (RFC 6455, for short texts).</summary>
    private const string Server =
        """
        const { createHash } = require('crypto');
        let count = 0;
        const server = require('http').createServer((request, response) => response.end(`${++count} ${request.headers['x-forwarded-proto']}`));
        server.on('upgrade', (request, socket) => {
          const accept = createHash('sha1').update(request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
          socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
          socket.on('error', () => {});
          socket.on('data', frame => {
            if ((frame[0] & 15) === 8) return socket.end(Buffer.from([0x88, 0]));
            const length = frame[1] & 127, mask = frame.subarray(2, 6);
            socket.write(Buffer.concat([Buffer.from([0x81, length]), frame.subarray(6, 6 + length).map((byte, i) => byte ^ mask[i % 4])]));
          });
        });
        server.listen(process.env.PORT, process.env.BIND_ADDRESS);
        """;

    private const string App = "of-the-site";
    private const string Host = App + ".localhost";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(Tools.Find("curl", Programs.SearchPath) is not null, "curl is not installed");
        await shared.Browser.AssertSaysAsync(shared.Browser.Http(Host), "http");
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>One app for all of these tests.</summary>
    public sealed class WebApp : RunningPiku
    {
        protected override async Task PrepareAsync()
        {
            var repository = await Repository.WithFilesAsync(Piku.Client, App, ("Procfile", "web: node server.js\n"), ("package.json", "{}"),
                ("server.js", Server), ("more.conf", "add_header X-Word \"$WORD for $host\";\n"),
                ("ENV", $"NGINX_SERVER_NAME={Host}\nNGINX_INCLUDE_FILE=more.conf\nWORD=a; }} word\nNGINX_CACHE_PREFIXES=/kept,/also\nNGINX_CACHE_CONTROL=60\n"));
            await repository.PushAsync();
        }
    }

    [Fact]
    public async Task A_websocket_reaches_the_app_and_comes_back()
    {
        using var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Host", Host);
        await socket.ConnectAsync(new Uri($"ws://127.0.0.1:{shared.Piku.HttpPort}/chat"), Cancelled);
        foreach (var word in (string[])["hello", "again"])
        {
            await socket.SendAsync(Encoding.UTF8.GetBytes(word), WebSocketMessageType.Text, endOfMessage: true, Cancelled);
            var heard = new byte[64];
            var result = await socket.ReceiveAsync(heard, Cancelled);
            Assert.Equal(word, Encoding.UTF8.GetString(heard, 0, result.Count));
        }
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, Cancelled);
    }

    [Fact]
    public async Task The_second_answer_comes_from_the_cache()
    {
        var (first, second, other) = (await AskAsync("/kept/x?a"), await AskAsync("/kept/x?a"), await AskAsync("/kept/x?b"));
        Assert.Contains("X-Cache: MISS", first, StringComparison.Ordinal);
        Assert.Contains("X-Cache: HIT", second, StringComparison.Ordinal);
        Assert.Contains("Cache-Control: public, max-age=60", second, StringComparison.Ordinal);
        Assert.Equal(Body(first), Body(second));
        Assert.NotEqual(Body(first), Body(other));
        Assert.NotEqual(Body(await AskAsync("/fresh")), Body(await AskAsync("/fresh")));
    }

    [Fact]
    public async Task The_apps_own_directives_hold_and_know_its_variables() =>
        Assert.Contains($"X-Word: a; }} word for {Host}", await AskAsync("/"), StringComparison.Ordinal);

    [Fact]
    public async Task Over_https_it_is_http2_and_the_app_knows()
    {
        var answer = await CurlAsync("127.0.0.1", $"https://{Host}:{shared.Piku.HttpsPort}/");
        Assert.StartsWith("HTTP/2 200", answer, StringComparison.Ordinal);
        Assert.EndsWith(" https", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_site_can_be_only_https_and_at_one_address_only()
    {
        var client = shared.Piku.Client;
        await client.CommandAsync("config:set", App, "NGINX_HTTPS_ONLY=yes", "DISABLE_IPV6=1", "NGINX_IPV4_ADDRESS=127.0.0.2");
        var moved = await CurlAsync("127.0.0.2", $"http://{Host}:{shared.Piku.HttpPort}/a?b");
        Assert.StartsWith("HTTP/1.1 301", moved, StringComparison.Ordinal);
        Assert.Contains($"Location: https://{Host}:{shared.Piku.HttpsPort}/a?b", moved, StringComparison.Ordinal);
        Assert.EndsWith(" https", await CurlAsync("127.0.0.2", $"https://{Host}:{shared.Piku.HttpsPort}/"), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 404", await AskAsync("/"), StringComparison.Ordinal);

        await client.CommandAsync("config:unset", App, "NGINX_HTTPS_ONLY", "DISABLE_IPV6", "NGINX_IPV4_ADDRESS");
        Assert.StartsWith("HTTP/1.1 200", await AskAsync("/"), StringComparison.Ordinal);
    }

    private Task<string> AskAsync(string path) => CurlAsync("127.0.0.1", $"http://{Host}:{shared.Piku.HttpPort}{path}");

    /// <summary>Headers and body.</summary>
    private static async Task<string> CurlAsync(string address, string url)
    {
        var port = new Uri(url).Port;
        return await Programs.RunAsync("curl", ["--silent", "--show-error", "--insecure", "--include", "--max-time", "15", "--resolve", $"{Host}:{port}:{address}", url]);
    }

    private static string Body(string answer) => answer[(answer.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..];
}
