using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Piku.Core.Formats;
using Piku.Core.Machine;
using Piku.Core.Model;
using Piku.Core.Services;
using Piku.Server.Hosting.Supervision;
using Piku.Tests.Machine;

namespace Piku.Tests.Services;

/// <summary>An installation in a temporary folder, with an emperor and an nginx of its own if asked for.</summary>
internal sealed class Installation : IAsyncDisposable
{
    public static readonly EnvMap ToolEnvironment = EnvMap.Empty.With("PATH", "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");

    private readonly TempFolder? _folder;
    private readonly List<Microsoft.Extensions.Hosting.BackgroundService> _services = [];

    public Installation()
        : this(new TempFolder())
    {
    }

    private Installation(TempFolder folder)
        : this(folder.Path) => _folder = folder;

    /// <summary>In a folder that belongs to somebody else.</summary>
    public Installation(string root)
    {
        Paths = new(root);
        foreach (var folder in Paths.Folders)
            Directory.CreateDirectory(folder);
        Emperor = new(Paths, TimeProvider.System);
        Nginx = new(Paths, ToolEnvironment, TimeProvider.System);
        var ports = FreePorts.Find(2, new HashSet<int>(), IPAddress.Any);
        Options = new(ports[0], ports[1]);
    }

    public PikuPaths Paths { get; }

    public Emperor Emperor { get; }

    public NginxServer Nginx { get; }

    public NginxOptions Options { get; }

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public static async Task<Installation> WithEmperorAsync()
    {
        var installation = new Installation();
        await installation.StartEmperorAsync();
        return installation;
    }

    public static async Task<Installation> WithNginxAsync()
    {
        var installation = new Installation();
        await installation.StartNginxAsync();
        return installation;
    }

    public async Task<EmperorService> StartEmperorAsync()
    {
        var service = new EmperorService(Paths, ToolEnvironment, TimeProvider.System, NullLogger<EmperorService>.Instance);
        _services.Add(service);
        await service.StartAsync(Cancelled);
        await service.Ready.WaitAsync(Pace.Scale(TimeSpan.FromSeconds(30)), Cancelled);
        return service;
    }

    public async Task<NginxService> StartNginxAsync()
    {
        var service = new NginxService(Paths, Options, ToolEnvironment, TimeProvider.System, NullLogger<NginxService>.Instance);
        _services.Add(service);
        await service.StartAsync(Cancelled);
        await service.Ready.WaitAsync(Pace.Scale(TimeSpan.FromSeconds(30)), Cancelled);
        return service;
    }

    /// <summary>Stops everything, as the host does.</summary>
    public async Task StopAsync()
    {
        foreach (var service in _services)
        {
            await service.StopAsync(CancellationToken.None);
            service.Dispose();
        }
        _services.Clear();
    }

    /// <summary>A WSGI app that answers with a text, or whatever else the source says.</summary>
    public Vassal Wsgi(string name, int port, string source)
    {
        var app = Path.Combine(Paths.Apps, name);
        Directory.CreateDirectory(app);
        File.WriteAllText(Path.Combine(app, "app.py"), source);
        return new(name,
        [
            UwsgiSetting.Text("chdir", app), UwsgiSetting.Text("master", "true"), UwsgiSetting.Text("processes", "1"),
            UwsgiSetting.Text("plugin", "python3"), UwsgiSetting.Env("PYTHONDONTWRITEBYTECODE", "1"),
            UwsgiSetting.Text("module", "app:app"), UwsgiSetting.Text("need-app", "true"),
            UwsgiSetting.Text("http-socket", $"127.0.0.1:{port}"), UwsgiSetting.Text("logto2", Path.Combine(Paths.Logs, name + ".log")),
        ],
        new Readiness.Accepting());
    }

    public static string Answering(string text) => $"def app(e, s):\n    s('200 OK', [])\n    return [b'{text}']\n";

    /// <summary>A command under uWSGI's care.</summary>
    public Vassal Command(string name, string command, Readiness readiness) => new(name,
    [
        UwsgiSetting.Text("chdir", Paths.Apps), UwsgiSetting.Text("master", "true"), UwsgiSetting.Text("attach-daemon", command),
        UwsgiSetting.Text("logto2", Path.Combine(Paths.Logs, name + ".log")),
    ],
    readiness);

    /// <summary>A web server on a port of this machine.</summary>
    public static string Serving(int port) =>
        $"python3 -c 'import http.server as h; h.HTTPServer((\"127.0.0.1\", {port}), h.SimpleHTTPRequestHandler).serve_forever()'";

    /// <summary>The same as the child of a shell that is uWSGI's child: whoever kills the shell leaves an orphan.</summary>
    public static string ServingBehindAShell(int port) => $"cd / && {Serving(port)}; true";

    public Task<IReadOnlyList<VassalFailure>> UpAsync(params InstalledVassal[] vassals) =>
        Emperor.WaitUntilReadyAsync(vassals, TimeSpan.FromSeconds(20), Cancelled);

    public static async Task<string> GetAsync(int port, string host = "localhost")
    {
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{port}/") { Headers = { Host = host } };
        using var response = await client.SendAsync(request, Cancelled);
        return $"{(int)response.StatusCode} {await response.Content.ReadAsStringAsync(Cancelled)}";
    }

    public static int FreePort() => FreePorts.Find(1, new HashSet<int>())[0];

    public static bool Accepts(int port)
    {
        try
        {
            using var client = new TcpClient("127.0.0.1", port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>Processes that have to do with this installation.</summary>
    public IReadOnlyList<int> Processes() =>
        [.. ProcessTable.Read().Where(p => !p.IsZombie && ProcessTable.WasStartedWith(p.Id, "PIKU_EMPEROR", Paths.Root)).Select(p => p.Id)];

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _folder?.Dispose();
    }
}
