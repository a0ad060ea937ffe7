using System.Globalization;
using System.Text.RegularExpressions;
using Piku.Core.Model;

namespace Piku.Tests.EndToEnd;

/// <summary>How a request reaches an app of each kind, asked by curl from this machine's many addresses.</summary>
[NeedsMachine]
public sealed partial class RequestTests(RequestTests.Apps shared) : IClassFixture<RequestTests.Apps>
{
    private const string Proxy = "127.0.0.9";

    /// <summary>What clients might like an app to believe.</summary>
    private static readonly string[] Forged =
    [
        "X-Forwarded-For: 6.6.6.6", "X-Real-IP: 6.6.6.6", "X-Forwarded-Host: evil.test", "X-Forwarded-Port: 666", "Forwarded: for=6.6.6.6", "X-Forwarded-Ssl: on",
        "Front-End-Https: on", "Proxy: http://evil.test", "CF-Connecting-IP: 6.6.6.6", "X-Forwarded-Prefix: /evil", "X-Url-Scheme: https", "X-Original-URL: /evil",
    ];

    private PikuInstance Piku => shared.Piku;

    /// <summary>One app of each kind, which says what it sees: a variable a line, as CGI names them.</summary>
    public sealed class Apps : RunningPiku
    {
        public const string Answers = "NGINX_INCLUDE_FILE=more.conf\nNGINX_CACHE_PREFIXES=/kept\nNGINX_CACHE_CONTROL=60\nNGINX_STATIC_PATHS=/files: files\n";

        protected override string Settings => $"[nginx]\ntrusted_proxies = [\"{Proxy}/32\"]\n";

        protected override async Task PrepareAsync()
        {
            await PushAsync("a-web", "web: node server.js",
                ("server.js",
                """
                const { createHash } = require('crypto');
                let count = 0;
                const server = require('http').createServer((request, response) => {
                  const url = new URL(request.url, 'http://x');
                  response.statusCode = Number(url.searchParams.get('status') ?? 200);
                  for (const [name, value] of url.searchParams) if (name.startsWith('h-')) response.setHeader(name.slice(2), value);
                  const seen = Object.entries(request.headers).map(([name, value]) => `HTTP_${name.toUpperCase().replaceAll('-', '_')}=${value}`);
                  request.resume().on('end', () => response.end([...seen, `VERSION=${request.httpVersion}`, `COUNT=${++count}`, `PROCESS=${process.env.PORT}`].join('\n')));
                });
                server.on('upgrade', (request, socket) => {
                  const accept = createHash('sha1').update(request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
                  socket.end(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
                });
                server.listen(process.env.PORT, process.env.BIND_ADDRESS);
                """),
                ("package.json", "{}"), ("files/a.txt", "a file"), ("more.conf", "add_header Strict-Transport-Security \"max-age=9\";\n"));
            await PushAsync("a-wsgi", "wsgi: app:app",
                ("app.py",
                """
                def app(e, s):
                    s('200 OK', [])
                    return ['\n'.join(f'{k}={v}' for k, v in e.items() if isinstance(v, str)).encode()]
                """),
                ("package.json", "{}"), ("files/a.txt", "a file"), ("more.conf", ""));
            await PushAsync("a-php", "php: web",
                ("web/index.php", "<?php foreach ($_SERVER as $k => $v) if (is_string($v)) echo \"$k=$v\\n\";"),
                ("web/other.php", "<?php echo 'SCRIPT_NAME=', $_SERVER['SCRIPT_NAME'];"), ("web/sub/page.txt", "a page"),
                ("files/a.txt", "a file"), ("more.conf", ""));
            await PushAsync("a-rwsgi", "rwsgi: config.ru",
                ("config.ru", "run lambda { |e| [200, {}, [e.select { |k, v| v.is_a? String }.map { |k, v| \"#{k}=#{v}\" }.join(\"\\n\")]] }"),
                ("package.json", "{}"), ("files/a.txt", "a file"), ("more.conf", ""));

            async Task PushAsync(string app, string procfile, params (string Path, string Text)[] files)
            {
                var repository = await Repository.WithFilesAsync(Piku.Client, app, [("Procfile", procfile + "\n"), .. files]);
                var own = app == "a-php" ? "NGINX_CATCH_ALL=/index.php\n" : "";
                repository.Write("ENV", $"NGINX_SERVER_NAME={repository.Host}\n{Answers}{own}");
                await repository.PushAsync();
            }
        }
    }

    [Theory]
    [InlineData("a-web")]
    [InlineData("a-wsgi")]
    [InlineData("a-php")]
    [InlineData("a-rwsgi")]
    public async Task An_app_sees_the_scheme_the_address_and_the_host_of_the_client_and_nothing_that_is_forged(string app)
    {
        foreach (var path in (string[])["/", "/kept/page"])
        {
            await SeesAsync(Http, "http");
            await SeesAsync(Https, "https");

            async Task SeesAsync(Func<string, string, string> address, string scheme)
            {
                // A scheme that is none, so that it can be told from both.
                var seen = Seen((await AskAsync(address(app, path), [.. Forged, "X-Forwarded-Proto: forged"], "127.0.0.5")).Body);
                var port = scheme == "https" ? Piku.HttpsPort : Piku.HttpPort;
                Assert.Equal((scheme, "127.0.0.5", $"{app}.localhost:{port}"), (seen["HTTP_X_FORWARDED_PROTO"], seen["HTTP_X_FORWARDED_FOR"], seen["HTTP_HOST"]));
                Assert.DoesNotContain(seen.Values, value => value.Contains("6.6.6.6", StringComparison.Ordinal) || value.Contains("evil", StringComparison.Ordinal) || value == "666");
                Assert.DoesNotContain(seen.Keys, name => name is "HTTP_X_FORWARDED_SSL" or "HTTP_FRONT_END_HTTPS" or "HTTP_PROXY" or "HTTP_FORWARDED" or "HTTP_X_URL_SCHEME");
                if (app == "a-web")
                    return;
                Assert.Equal(("127.0.0.5", $"{port}"), (seen["REMOTE_ADDR"], seen["SERVER_PORT"]));
                Assert.Equal(scheme == "https" ? "on" : null, seen.GetValueOrDefault("HTTPS"));
                if (app is "a-wsgi" or "a-rwsgi")
                    Assert.Equal(scheme, seen[app == "a-wsgi" ? "wsgi.url_scheme" : "rack.url_scheme"]);
            }
        }
    }

    [Theory]
    [InlineData("a-web")]
    [InlineData("a-wsgi")]
    public async Task A_trusted_proxy_is_believed_the_address_the_scheme_and_the_port(string app)
    {
        var seen = Seen((await AskAsync(Http(app, "/"), ["X-Forwarded-For: 6.6.6.6, 203.0.113.7", "X-Forwarded-Proto: https"], Proxy)).Body);
        Assert.Equal(("203.0.113.7", "https", "443"), (seen["HTTP_X_FORWARDED_FOR"], seen["HTTP_X_FORWARDED_PROTO"], seen["HTTP_X_FORWARDED_PORT"]));
        if (app == "a-wsgi")
            Assert.Equal(("203.0.113.7", "https", "on"), (seen["REMOTE_ADDR"], seen["wsgi.url_scheme"], seen["HTTPS"]));
        Assert.Equal("8444", Seen((await AskAsync(Http(app, "/"), ["X-Forwarded-Proto: https", "X-Forwarded-Port: 8444"], Proxy)).Body)["HTTP_X_FORWARDED_PORT"]);
    }

    [Fact]
    public async Task A_connection_is_upgraded_only_for_who_asks()
    {
        Assert.Equal("close", Seen((await AskAsync(Http("a-web", "/"), ["Upgrade: websocket"])).Body)["HTTP_CONNECTION"]);
        var posted = Seen((await AskAsync(Http("a-web", "/"), [], more: ["--data", "x=1"])).Body);
        Assert.Equal(("close", false), (posted["HTTP_CONNECTION"], posted.ContainsKey("HTTP_UPGRADE")));
        // What nginx could not read would reach the app as the client has sent it.
        Assert.False(Seen((await AskAsync(Http("a-web", "/"), ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA"])).Body).ContainsKey("HTTP_UPGRADE"));
        foreach (var path in (string[])["/", "/kept/chat"])
            Assert.Equal(101, (await AskAsync(Http("a-web", path), ["Connection: keep-alive, Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="])).Status);
    }

    [Fact]
    public async Task A_cached_location_is_like_any_other_but_keeps_answers()
    {
        foreach (var path in (string[])["/", "/kept/x", "/files/a.txt"])
            Assert.Contains("Strict-Transport-Security: max-age=9", (await AskAsync(Http("a-web", path))).Head, StringComparison.Ordinal);
        Assert.Equal("1.1", Seen((await AskAsync(Http("a-web", "/kept/version"))).Body)["VERSION"]);

        var (first, second) = (await AskAsync(Http("a-web", "/kept/y")), await AskAsync(Http("a-web", "/kept/y")));
        Assert.Equal((first.Body, "public, max-age=60", "HIT"), (second.Body, second.Header("Cache-Control"), second.Header("X-Cache")));
        Assert.Equal("https", Seen((await AskAsync(Https("a-web", "/kept/y"))).Body)["HTTP_X_FORWARDED_PROTO"]);
    }

    [Theory]
    [InlineData("h-Cache-Control=private,max-age=5", "private,max-age=5")]
    [InlineData("h-Cache-Control=no-store", "no-store")]
    [InlineData("h-Set-Cookie=session=1", "")]
    [InlineData("h-Set-Cookie=session=1&h-Cache-Control=max-age=7", "max-age=7")]
    [InlineData("status=404", "")]
    [InlineData("status=403", "")]
    [InlineData("status=500&h-Cache-Control=max-age=9", "max-age=9", true)]
    [InlineData("a=b", "", false, "Authorization: Basic YTpi")]
    public async Task What_nobody_may_keep_is_neither_kept_nor_relabelled(string query, string control, bool mayBeKept = false, params string[] headers)
    {
        var (first, second) = (await AskAsync(Http("a-web", $"/kept/z?{query}"), headers), await AskAsync(Http("a-web", $"/kept/z?{query}"), headers));
        Assert.Equal((control, control), (first.Header("Cache-Control"), second.Header("Cache-Control")));
        if (!mayBeKept)
            Assert.NotEqual(Seen(first.Body)["COUNT"], Seen(second.Body)["COUNT"]);
    }

    [Fact]
    public async Task A_front_controller_answers_for_every_path_of_a_php_app_that_is_none()
    {
        var routed = Seen((await AskAsync(Http("a-php", "/route/to?q=1"))).Body);
        Assert.Equal(("/index.php", "/route/to?q=1", "q=1"), (routed["SCRIPT_NAME"], routed["REQUEST_URI"], routed["QUERY_STRING"]));
        Assert.Equal("/index.php", Seen((await AskAsync(Http("a-php", "/"))).Body)["SCRIPT_NAME"]);
        var info = Seen((await AskAsync(Http("a-php", "/index.php/route"))).Body);
        Assert.Equal(("/index.php", "/route"), (info["SCRIPT_NAME"], info["PATH_INFO"]));
        Assert.Equal("SCRIPT_NAME=/other.php", (await AskAsync(Http("a-php", "/other.php"))).Body);
        Assert.Equal("a page", (await AskAsync(Http("a-php", "/sub/page.txt"))).Body);
        Assert.Equal((404, 403), ((await AskAsync(Http("a-php", "/files/none"))).Status, (await AskAsync(Http("a-php", "/.env"))).Status));
    }

    private string Http(string app, string path) => $"http://{app}.localhost:{Piku.HttpPort}{path}";

    private string Https(string app, string path) => $"https://{app}.localhost:{Piku.HttpsPort}{path}";

    /// <param name="from">One of the machine's addresses.</param>
    private static async Task<Answer> AskAsync(string url, string[]? headers = null, string from = "127.0.0.1", string to = "127.0.0.1", params string[] more)
    {
        var uri = new Uri(url);
        string[] sent = [.. (headers ?? []).SelectMany(header => new[] { "--header", header })];
        var run = await Programs.CaptureAsync(new()
        {
            Program = "curl",
            Arguments =
            [
                "--silent", "--show-error", "--insecure", "--include", "--http1.1", "--path-as-is", "--max-time", "15", "--interface", from,
                "--resolve", $"{uri.Host}:{uri.Port}:{to}", .. sent, .. more, url,
            ],
            Folder = "/",
            Environment = EnvMap.Empty.With("PATH", Programs.SearchPath),
        });
        // It has something to say of an upgrade after which nothing comes.
        var said = run.Output;
        Assert.True(said.Contains("\r\n\r\n", StringComparison.Ordinal), $"{url}: {run.Status} {run.Error}");
        var end = said.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        return new(int.Parse(said.Split(' ')[1], CultureInfo.InvariantCulture), said[..end], said[(end + 4)..]);
    }

    private static Dictionary<string, string> Seen(string body) => body.Split('\n').Where(line => line.Contains('=', StringComparison.Ordinal))
        .Select(line => line.Split('=', 2)).GroupBy(pair => pair[0]).ToDictionary(pairs => pairs.Key, pairs => pairs.Last()[1]);

    private sealed record Answer(int Status, string Head, string Body)
    {
        public string Header(string name) => Regex.Match(Head, $"(?im)^{name}: (.*?)\r?$").Groups[1].Value;
    }
}
