namespace Piku.Core.Model;

/// <summary>
/// Where everything is: every path of an installation, derived from its root (<c>PIKU_ROOT</c>, by default
/// <c>~/.piku</c>). The layout is upstream's; what is ours alone is in <see cref="State"/>, <see cref="Run"/>
/// and the files beside them. All paths are absolute.
/// </summary>
public sealed record PikuPaths
{
    /// <param name="root">The installation's folder; made absolute against the current folder.</param>
    public PikuPaths(string root) => Root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(root));

    public string Root { get; }

    /// <summary>Each app runs as a user of its own, and what its processes make is in folders of its own.</summary>
    public bool HasAppUsers { get; init; }

    // Upstream's layout.
    public string Apps => In("apps");
    public string Repos => In("repos");
    public string Envs => In("envs");
    public string Data => In("data");
    public string Logs => In("logs");
    public string NginxRoot => In("nginx");
    public string Uwsgi => In("uwsgi");
    public string VassalsAvailable => In("uwsgi-available");
    public string VassalsEnabled => In("uwsgi-enabled");
    public string Cache => In("cache");
    public string AcmeWww => In("acme");
    public string Plugins => In("plugins");

    // Ours.
    public string AuthorizedKeys => In("authorized_keys");
    public string HostKeys => In("ssh");
    public string Config => In("piku.toml");
    /// <summary>What must survive a restart: journals, stopped apps, releases, dependency hashes.</summary>
    public string State => In("state");
    /// <summary>The last list that could be fetched, a network a line. No app's name begins so, and its folder cannot be in the way.</summary>
    public string CloudflareNetworks => Path.Combine(State, "_cloudflare");
    /// <summary>Who did what: the audit log, and when each key was used last.</summary>
    public string Audit => In("audit");
    /// <summary>How a worker in Python ends; one for all.</summary>
    public string PythonExit => Path.Combine(Uwsgi, "exit.py");
    /// <summary>What runs a command of cron once in its minute; one for all.</summary>
    public string CronRun => Path.Combine(Uwsgi, "cron.sh");
    /// <summary>Homes of the users that apps have, one each; whose a folder is, is the app's user.</summary>
    public string Homes => In("homes");
    /// <summary>A folder for each app with a user of its own.</summary>
    public string AllSockets => Path.Combine(Run, "sockets");
    /// <summary>What need not: locks, sockets, pid files, the hooks of the running version.</summary>
    public string Run => In("run");

    /// <summary>Kept aside for the next start of the daemon, which the disk may be full for.</summary>
    public string StartRoom => Path.Combine(Run, "room");

    public string App(AppName app) => Path.Combine(Apps, app.Value);
    public string Repo(AppName app) => Path.Combine(Repos, app.Value);
    public string Env(AppName app) => Path.Combine(Envs, app.Value);
    public string AppData(AppName app) => Path.Combine(Data, app.Value);
    public string AppLogs(AppName app) => Path.Combine(Logs, app.Value);
    public string AppCache(AppName app) => Path.Combine(Cache, app.Value);
    public string AppState(AppName app) => Path.Combine(State, app.Value);
    public string Home(AppName app) => Path.Combine(Homes, app.Value);
    /// <summary>Where the sockets of an app with a user of its own are.</summary>
    public string Sockets(AppName app) => Path.Combine(AllSockets, app.Value);

    /// <summary>What <c>config:set</c> writes.</summary>
    public string EnvFile(AppName app) => Path.Combine(Env(app), "ENV");
    /// <summary>The environment that the app's workers run with.</summary>
    public string LiveEnvFile(AppName app) => Path.Combine(Env(app), "LIVE_ENV");
    public string ScalingFile(AppName app) => Path.Combine(Env(app), "SCALING");

    /// <summary>Which dependencies are installed in <see cref="Env"/>.</summary>
    public string DependencyHashes(AppName app) => Path.Combine(AppState(app), "dependencies");
    /// <summary>What was deployed, and how each deploy has ended.</summary>
    public string Releases(AppName app) => Path.Combine(AppState(app), "releases");
    /// <summary>Dependencies of earlier releases, for a rollback.</summary>
    public string KeptDependencies(AppName app) => Path.Combine(AppState(app), "kept-dependencies");
    /// <summary>Held by whoever deploys, restarts, stops or destroys the app.</summary>
    public string AppLock(AppName app) => Path.Combine(Run, "locks", app.Value);

    public string NginxSite(AppName app) => Path.Combine(NginxRoot, app.Value + ".conf");
    public string NginxSocket(AppName app, Stand stand) => Path.Combine(HasAppUsers ? Sockets(app) : NginxRoot, $"{app}{stand.Mark()}.sock");
    public string Certificate(AppName app) => Path.Combine(NginxRoot, app.Value + ".crt");
    public string CertificateKey(AppName app) => Path.Combine(NginxRoot, app.Value + ".key");
    /// <summary>A link to what acme.sh keeps of the app's certificate.</summary>
    public string AcmeLink(AppName app) => Path.Combine(AcmeWww, app.Value);

    /// <summary>Every folder of the installation, for <c>setup</c>.</summary>
    public IEnumerable<string> Folders =>
    [
        Root, Apps, Repos, Envs, Data, Logs, NginxRoot, Uwsgi, VassalsAvailable, VassalsEnabled, Cache, AcmeWww,
        Plugins, HostKeys, State, Audit, Run, .. HasAppUsers ? [Homes] : Array.Empty<string>(),
    ];

    private string In(string name) => Path.Combine(Root, name);
}
