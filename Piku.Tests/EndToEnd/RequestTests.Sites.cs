using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace Piku.Tests.EndToEnd;

/// <summary>Which site answers, where, and what it is when there is nobody to answer.</summary>
public sealed partial class RequestTests
{
    [Fact]
    public async Task An_address_of_one_app_changes_nothing_for_the_others()
    {
        var site = await PagesAsync("a-alone", "NGINX_IPV4_ADDRESS=127.0.0.1\nDISABLE_IPV6=1\n");
        await site.PushAsync();
        foreach (var address in (Func<string, string, string>[])[Http, Https])
        {
            Assert.Equal("home", (await AskAsync(address("a-alone", "/"))).Body);
            Assert.Equal(404, (await AskAsync(address("a-alone", "/"), to: "127.0.0.2")).Status);
            Assert.Contains("VERSION=", (await AskAsync(address("a-web", "/"))).Body, StringComparison.Ordinal);
            Assert.Contains("VERSION=", (await AskAsync(address("a-web", "/"), to: "127.0.0.2")).Body, StringComparison.Ordinal);
            Assert.Equal(404, (await AskAsync(address("nobodys", "/"))).Status);
        }
        var refused = await Piku.Client.SshAsync("config:set", "a-alone", "NGINX_IPV4_ADDRESS=192.0.2.77");
        Assert.False(refused.Status.Succeeded);
        Assert.Contains("NGINX_IPV4_ADDRESS is 192.0.2.77, and this machine has no such address", refused.Error, StringComparison.Ordinal);
        Assert.Equal("home", (await AskAsync(Http("a-alone", "/"))).Body);
    }

    [Fact]
    public async Task Every_form_of_a_host_name_is_served_and_redirected_to_itself()
    {
        var site = await PagesAsync("forms", "");
        site.Write("ENV", "NGINX_SERVER_NAME=.dots.localhost other.localhost *.stars.localhost ~^re[0-9]+\\.localhost$\nNGINX_HTTPS_ONLY=true\n");
        var said = await site.PushAsync();
        Assert.Contains($"answers at https://dots.localhost:{Piku.HttpsPort} and every name below it", said, StringComparison.Ordinal);
        Assert.DoesNotContain("https://*", said, StringComparison.Ordinal);
        foreach (var name in (string[])["dots", "a.dots", "other", "b.stars", "re7"])
        {
            Assert.Equal("home", (await AskAsync(Https(name, "/"))).Body);
            var moved = await AskAsync(Http(name, "/a?b"));
            Assert.Equal((301, $"https://{name}.localhost:{Piku.HttpsPort}/a?b"), (moved.Status, moved.Header("Location")));
            // A proxy that ends TLS would send its clients round for ever.
            Assert.Equal("home", (await AskAsync(Http(name, "/"), ["X-Forwarded-Proto: https"], Proxy)).Body);
        }
        Assert.Equal(404, (await AskAsync(Https("stars", "/"))).Status);
        // The name is the certificate's, too.
        await shared.Browser.AssertSaysAsync(shared.Browser.Https("a.dots.localhost"), "home");

        // All names that nobody else has: also not one that another app has by a pattern, whatever the apps are called.
        var rest = await PagesAsync("all-names", "");
        rest.Write("ENV", "NGINX_SERVER_NAME=_\n");
        rest.Write("out/index.html", "rest");
        Assert.DoesNotContain("https://_", await rest.PushAsync(), StringComparison.Ordinal);
        Assert.Equal(("rest", "home", "home"), ((await AskAsync(Http("nobodys", "/"))).Body, (await AskAsync(Https("re7", "/"))).Body, (await AskAsync(Https("b.stars", "/"))).Body));
        await Piku.Client.CommandAsync("destroy", "all-names");

        var refused = await Piku.Client.SshAsync("config:set", "forms", "NGINX_SERVER_NAME=bücher.example");
        Assert.Contains("Write xn--bcher-kva.example for bücher.example.", refused.Error, StringComparison.Ordinal);
        refused = await Piku.Client.SshAsync("config:set", "forms", "NGINX_HTTPS_ONLY=ture");
        Assert.Contains("NGINX_HTTPS_ONLY is 'ture', and must be true or false. Nothing is set.", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_static_site_has_types_its_own_page_for_404_and_503_when_it_is_stopped()
    {
        var site = await PagesAsync("pages", "");
        site.Write("out/404.html", "not here");
        site.Write("out/sub/index.html", "sub");
        foreach (var file in (string[])["m.mjs", "a.webmanifest", "r.md", "t.csv"])
            site.Write($"out/{file}", "x");
        await site.PushAsync();
        Assert.Equal((404, "not here"), await BodyAsync("/nothing"));
        Assert.Equal(["text/javascript", "application/manifest+json", "text/markdown", "text/csv"],
            [await TypeAsync("m.mjs"), await TypeAsync("a.webmanifest"), await TypeAsync("r.md"), await TypeAsync("t.csv")]);
        // A client that has come through another port or scheme stays there.
        Assert.Equal("/sub/", (await AskAsync(Http("pages", "/sub"))).Header("Location"));

        await Piku.Client.CommandAsync("stop", "pages");
        Assert.Equal((503, 503), ((await AskAsync(Http("pages", "/"))).Status, (await AskAsync(Https("pages", "/m.mjs"))).Status));
        await Piku.Client.CommandAsync("restart", "pages");
        Assert.Equal((200, "home"), await BodyAsync("/"));

        site.Write("ENV", $"NGINX_SERVER_NAME={site.Host}\nNGINX_STATIC_PATHS=/m:missing\n");
        await RefusedAsync("NGINX_STATIC_PATHS maps '/m' to 'missing', and that does not exist");
        site.Write("ENV", $"NGINX_SERVER_NAME={site.Host}\nNGINX_STATIC_PATHS=/m:out,/d:$X/y\n");
        await RefusedAsync("'/d:$X/y' names a variable that is not set.");
        site.Write("ENV", $"NGINX_SERVER_NAME={site.Host}\n");
        site.Write("Procfile", "static: gone\n");
        await RefusedAsync("The Procfile serves 'gone' as a static site, and there is no such folder");
        Assert.Equal((200, "home"), await BodyAsync("/"));

        async Task<(int, string)> BodyAsync(string path) => await AskAsync(Http("pages", path)) is var answer ? (answer.Status, answer.Body) : default;

        async Task<string> TypeAsync(string file) => (await AskAsync(Http("pages", $"/{file}"))).Header("Content-Type");

        async Task RefusedAsync(string sentence)
        {
            var refused = await site.TryPushAsync();
            Assert.False(refused.Status.Succeeded, refused.Error);
            Assert.Contains(sentence, refused.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task What_nginx_has_against_an_include_file_is_told_by_its_line()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        var site = await PagesAsync("includes", "NGINX_INCLUDE_FILE=conf/more.conf\n");
        site.Write("conf/more.conf", "# a word\nadd_header A b;\nnonsense on;\n");
        Assert.Contains("unknown directive \"nonsense\" in conf/more.conf:3.", (await site.TryPushAsync()).Error, StringComparison.Ordinal);
        site.Write("conf/more.conf", $"add_header A b;\n\n\nlisten 127.0.0.1:{port};\n");
        Assert.Contains($"it cannot listen at 127.0.0.1:{port}, as conf/more.conf:4 says", (await site.TryPushAsync()).Error, StringComparison.Ordinal);
        Assert.Equal(404, (await AskAsync(Http("includes", "/"))).Status);
    }

    [Fact]
    public async Task An_app_without_processes_says_so_and_answers_503_and_its_queue_is_as_long_as_the_system_allows()
    {
        var repository = await Repository.WithFilesAsync(Piku.Client, "resting", ("Procfile", "wsgi: app:app\n"), ("package.json", "{}"),
            ("app.py", "def app(e, s):\n    s('200 OK', [])\n    return [b'%d' % len(e['wsgi.input'].read())]\n"));
        repository.Write("ENV", $"NGINX_SERVER_NAME={repository.Host}\nUWSGI_LISTEN=65000\n");
        Assert.Matches("Warning: UWSGI_LISTEN is 65000, and the system allows [0-9]+", await repository.PushAsync());
        var body = Path.Combine(repository.Folder, "upload");
        await File.WriteAllBytesAsync(body, new byte[3 << 20], TestContext.Current.CancellationToken);
        Assert.Equal(413, (await UploadAsync()).Status);
        await Piku.Client.CommandAsync("config:set", "resting", "NGINX_CLIENT_MAX_BODY_SIZE=4m");
        Assert.Equal((200, $"{3 << 20}"), (await UploadAsync() is var (status, _, length)) ? (status, length) : default);

        var said = await Piku.Client.SshAsync("ps:scale", "resting", "wsgi=0");
        Assert.Contains("App 'resting' has no process of 'wsgi', so nobody is answered but with status 503; 'ps:scale resting wsgi=1' starts one.", said.Output + said.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("answers at", said.Output + said.Error, StringComparison.Ordinal);
        Assert.Equal(503, (await AskAsync(Https("resting", "/"))).Status);
        await Piku.Client.CommandAsync("ps:scale", "resting", "wsgi=1");
        Assert.Equal(200, (await AskAsync(Https("resting", "/"))).Status);
        await Piku.Client.CommandAsync("stop", "resting");
        Assert.Equal(503, (await AskAsync(Https("resting", "/"))).Status);

        Task<Answer> UploadAsync() => AskAsync(Http("resting", "/"), ["Expect:"], more: ["--data-binary", $"@{body}"]);
    }

    [Fact]
    public async Task A_visitor_stays_with_one_of_several_processes()
    {
        const string app = "sticky";
        var repository = await Repository.WithFilesAsync(Piku.Client, app, ("Procfile", "web: node server.js\n"), ("package.json", "{}"),
            ("server.js", "require('http').createServer((q, r) => r.end('PROCESS=' + process.env.PORT)).listen(process.env.PORT, '127.0.0.1');"));
        repository.Write("ENV", $"NGINX_SERVER_NAME={repository.Host}\nNGINX_STICKY=cookie\n");
        await repository.PushAsync();
        await Piku.Client.CommandAsync("ps:scale", app, "web=3");

        var newcomers = new List<string>();
        for (var i = 0; i < 30; i++)
        {
            var first = await AskAsync(Http(app, "/"));
            var cookie = Regex.Match(first.Header("Set-Cookie"), "^piku_sticky=[0-9a-f]+(?=; Path=/; HttpOnly; SameSite=Lax$)").Value;
            Assert.NotEqual("", cookie);
            newcomers.Add(first.Body);
            var again = await AskAsync(Http(app, "/"), [$"Cookie: {cookie}"]);
            Assert.Equal((first.Body, ""), (again.Body, again.Header("Set-Cookie")));
        }
        Assert.True(newcomers.Distinct().Count() > 1, "all have come to one process");

        await Piku.Client.CommandAsync("config:set", app, "NGINX_STICKY=address");
        var bodies = new HashSet<string>();
        for (var i = 0; i < 10; i++)
            bodies.Add((await AskAsync(Http(app, "/"), from: "127.0.0.44")).Body);
        Assert.Single(bodies);
    }

    private async Task<Repository> PagesAsync(string app, string env)
    {
        var repository = await Repository.WithFilesAsync(Piku.Client, app, ("Procfile", "static: out\n"), ("out/index.html", "home"));
        repository.Write("ENV", $"NGINX_SERVER_NAME={repository.Host}\n{env}");
        return repository;
    }
}
