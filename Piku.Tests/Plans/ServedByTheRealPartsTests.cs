using System.Net;
using Piku.Core.Apps;
using Piku.Core.Formats;
using Piku.Core.Machine;
using Piku.Core.Runtimes;
using Piku.Core.Services;
using Piku.Core.Workers;
using Piku.Tests.Services;

namespace Piku.Tests.Plans;

/// <summary>What is planned works: the emperor runs it, nginx finds it, and the app answers.</summary>
[NeedsMachine]
public sealed class ServedByTheRealPartsTests
{
    private const string Wsgi = "import os\ndef app(e, s):\n    s('200 OK', [])\n    return [os.environ.get('A', 'unset').encode()]\n";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("python3", "wsgi: app:app", "app.py", Wsgi)]
    [InlineData("php", "php: /", "index.php", "<?php echo getenv('A');")]
    [InlineData("rack", "rwsgi: config.ru", "config.ru", "run lambda { |e| [200, {}, [ENV['A']]] }")]
    [InlineData("python3", "web: python3 server.py", "server.py",
        """
        import http.server, os
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200); self.end_headers(); self.wfile.write(os.environ['A'].encode())
        http.server.HTTPServer((os.environ['BIND_ADDRESS'] if os.environ['BIND_ADDRESS'][0] != 'u' else '127.0.0.1', int(os.environ['PORT'])), Handler).serve_forever()
        """)]
    public async Task Each_kind_answers_through_nginx(string plugin, string procfile, string file, string source)
    {
        await using var installation = await StartAsync();
        Assert.SkipUnless(Host(installation).UwsgiPlugins.Contains(plugin), $"uWSGI has no plugin '{plugin}' here");
        await DeployAsync(installation, Facts(installation, procfile, "A=100% $(id) @(x)", (file, source)));
        Assert.Equal("200 100% $(id) @(x)", await GetAsync(installation));
    }

    /// <summary>Debian's greenlet stands in for the one that the app's requirements would bring.</summary>
    [Theory]
    [InlineData("UWSGI_ASYNCIO=4")]
    [InlineData("UWSGI_IDLE=60")]
    [InlineData("UWSGI_ASYNCIO=4\nUWSGI_IDLE=60\nUWSGI_PROCESSES=1")]
    public async Task A_wsgi_app_answers_however_it_is_served(string settings)
    {
        await using var installation = await StartAsync();
        Assert.SkipUnless(Host(installation).UwsgiPlugins.IsSupersetOf(["asyncio_python3", "greenlet_python3"]), "uWSGI has no plugins for asyncio and greenlets here");
        await DeployAsync(installation, Facts(installation, "wsgi: app:app", $"A=here\nPYTHONPATH=/usr/lib/python3/dist-packages\n{settings}", ("app.py", Wsgi)));
        for (var i = 0; i < 5; i++)
            Assert.Equal("200 here", await GetAsync(installation));
    }

    [Fact]
    public async Task A_wsgi_app_answers_at_every_count()
    {
        await using var installation = await StartAsync();
        foreach (var count in new[] { 1, 3, 2, 1 })
        {
            var facts = Facts(installation, "wsgi: app:app", "A=here", ("app.py", Wsgi)) with { Scaling = Scaling.Default.With("wsgi", count) };
            await DeployAsync(installation, facts);
            for (var i = 0; i < 20; i++)
                Assert.Equal("200 here", await GetAsync(installation));
        }
    }

    [Fact]
    public async Task A_variable_that_is_unset_is_gone_after_the_graceful_reload()
    {
        await using var installation = await StartAsync();
        await DeployAsync(installation, Facts(installation, "wsgi: app:app", "A=here", ("app.py", Wsgi)));
        Assert.Equal("200 here", await GetAsync(installation));

        await DeployAsync(installation, Facts(installation, "wsgi: app:app", "", ("app.py", Wsgi)));
        Assert.Equal("200 unset", await GetAsync(installation));
    }

    private static async Task<Installation> StartAsync()
    {
        var installation = await Installation.WithEmperorAsync();
        await installation.StartNginxAsync();
        LetNobodyIn(installation.Paths.Root);
        return installation;
    }

    private static DeployFacts Facts(Installation installation, string procfile, string env, params (string Name, string Text)[] files)
    {
        var facts = TestApp.With(procfile, $"NGINX_SERVER_NAME=blog.test\n{env}") with
        {
            Paths = installation.Paths,
            Host = Host(installation),
            FreePorts = [Installation.FreePort()],
        };
        foreach (var folder in new[] { facts.AppFolder, facts.Paths.AppLogs(facts.App) })
            Directory.CreateDirectory(folder);
        foreach (var (name, text) in files)
            File.WriteAllText(Path.Combine(facts.AppFolder, name), text);
        return facts;
    }

    private static HostFacts Host(Installation installation)
    {
        using var host = new RealHost();
        return host.Facts with
        {
            HttpPort = installation.Options.HttpPort,
            HttpsPort = installation.Options.HttpsPort,
        };
    }

    private static async Task DeployAsync(Installation installation, DeployFacts facts)
    {
        var plan = LivePlan.Create(facts);
        var certificate = SelfSignedCertificate.Create(plan.Site!.ServerNames, TimeProvider.System);
        AtomicFile.Write(plan.Site.Certificate, certificate.Certificate, AtomicFile.Readable);
        AtomicFile.Write(plan.Site.CertificateKey, certificate.Key, AtomicFile.Secret);
        var vassals = plan.Vassals.Select(vassal => new Core.Services.Vassal(Path.GetFileNameWithoutExtension(vassal.FileName), vassal.Settings, ReadinessOf(vassal)));
        var store = new VassalStore(installation.Paths, installation.Emperor);
        var failures = await installation.UpAsync([.. store.Install(facts.App, [.. vassals])]);
        foreach (var gone in store.Enabled(facts.App).Except(plan.Vassals.Select(vassal => vassal.FileName)))
            store.Remove(gone);
        Assert.True(failures.Count == 0, string.Join("\n", [.. failures.Select(failure => failure.Reason), .. plan.Vassals.Select(vassal => File.ReadAllText(vassal.LogFile))]));
        LetNobodyIn(facts.Paths.NginxSocket(facts.App, facts.Stand));
        await installation.Nginx.ApplySiteAsync(facts.App, NginxDirective.Write(plan.Site.ToDirectives()), Cancelled);
    }

    /// <summary>nginx's workers share our user, but not when that is root: then they are nobody's.</summary>
    private static void LetNobodyIn(string path)
    {
        if (UnixUser.Current.IsRoot && Path.Exists(path))
            File.SetUnixFileMode(path, (UnixFileMode)0b111_111_111);
    }

    private static Readiness ReadinessOf(Core.Workers.Vassal vassal) => vassal is { Kind: "web", Probe: Probe.Tcp probe }
        ? new Readiness.Listening(new IPEndPoint(IPAddress.Loopback, probe.Port))
        : new Readiness.Accepting();

    private static Task<string> GetAsync(Installation installation) => Installation.GetAsync(installation.Options.HttpPort, "blog.test");
}
