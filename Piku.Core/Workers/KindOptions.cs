using Piku.Core.Formats;
using Piku.Core.Model;
using Piku.Core.Nginx;
using Piku.Core.Runtimes;
using Piku.Core.Settings;

namespace Piku.Core.Workers;

/// <summary>The uWSGI options by which a kind of worker differs from the others.</summary>
/// <param name="Facts">All that is known.</param>
/// <param name="Variables">What the workers see.</param>
/// <param name="Addresses">Where they answer; null when none does.</param>
internal sealed record KindOptions(DeployFacts Facts, EnvMap Variables, Addresses? Addresses)
{
    /// <summary>Where Debian's uwsgi-plugin-jvm puts the classes that every jwsgi app needs.</summary>
    private const string JvmClasses = "/usr/share/java/uwsgi.jar";

    private HostFacts Host => Facts.Host;

    /// <exception cref="UserError">A setting, a plugin or the command is wrong.</exception>
    public IEnumerable<UwsgiSetting> Of(ProcfileEntry entry) => entry.Kind switch
    {
        "wsgi" => Wsgi(entry.Command),
        "jwsgi" => Jwsgi(entry.Command),
        "rwsgi" => Rwsgi(entry.Command),
        "php" => Php(entry.Command),
        _ when entry.IsCron => Cron(entry.Kind, CronSchedule.Parse(entry.Command)),
        _ => [Text("attach-daemon", entry.Command)],
    };

    /// <summary>Without an app uWSGI would answer every request with an error; so it must not come up (D1).</summary>
    private IEnumerable<UwsgiSetting> Wsgi(string module)
    {
        var version = PythonRuntimes.Version(Facts, Variables);
        return
        [
            Text("module", module),
            Threads,
            Text("plugin", UwsgiPlugins.Python(Host, version)),
            .. UwsgiPlugins.IsPython2(version) ? AsynchronousPython2() : AsynchronousPython3(),
            Text("need-app", "true"),
            // See PythonExit.
            Text("skip-atexit-teardown", "true"),
            Text("shared-pyimport", Facts.Paths.PythonExit),
            .. Addresses!.SocketPath is null ? [Http("http"), Http("http-use-socket"), Http("http-socket")] : SocketOptions,
        ];
    }

    private IEnumerable<UwsgiSetting> AsynchronousPython2() =>
        UwsgiSettings.Gevent.TryIn(Variables, out var greenlets)
            ? [Text("plugin", UwsgiPlugins.Find(Host, "gevent_python", "uwsgi-plugin-gevent-python")), Text("gevent", $"{greenlets}")]
        : UwsgiSettings.Asyncio.TryIn(Variables, out var cores)
            ? [Text("plugin", UwsgiPlugins.Find(Host, "asyncio_python", "uwsgi-plugin-asyncio-python")), Text("async", $"{cores}")]
        : [];

    /// <summary>Without its loop and greenlets, uWSGI's asyncio plugin answers every request with an error.</summary>
    private IEnumerable<UwsgiSetting> AsynchronousPython3() => !UwsgiSettings.Asyncio.TryIn(Variables, out var cores) ? [] :
    [
        Text("plugin", UwsgiPlugins.Find(Host, "greenlet_python3", "uwsgi-plugin-greenlet-python3")),
        Text("plugin", UwsgiPlugins.Find(Host, "asyncio_python3", "uwsgi-plugin-asyncio-python3")),
        Text("greenlet", "true"),
        Text("asyncio", $"{cores}"),
        Text("async", $"{cores}"),
    ];

    /// <summary>
    /// The plugin serves what comes without a modifier (the leading 0), and finds a class by its path, where Maven or
    /// Gradle has put it. More of the class path is for the app's include file to say.
    /// </summary>
    private IEnumerable<UwsgiSetting> Jwsgi(string name) =>
    [
        Text("module", name),
        Threads,
        Text("plugin", "0:" + UwsgiPlugins.Find(Host, "jvm", "'uwsgi-plugin-jvm-openjdk-*'")),
        Text("plugin", UwsgiPlugins.Find(Host, "jwsgi", "'uwsgi-plugin-jwsgi-openjdk-*'")),
        Text("jvm-classpath", JvmClasses),
        Text("jvm-classpath", $"{Facts.AppFolder}/target/classes"),
        Text("jvm-classpath", $"{Facts.AppFolder}/build/classes/java/main"),
        Text("jwsgi", name.Replace('.', '/')),
        .. Addresses!.SocketPath is null ? [Http("http-socket")] : SocketOptions,
    ];

    /// <summary>Ruby crashes under uWSGI's threads without their plugin; Rack reads a request's body more than once.</summary>
    private IEnumerable<UwsgiSetting> Rwsgi(string script) =>
    [
        Text("module", script),
        Text("plugin", UwsgiPlugins.Find(Host, "rack", "'uwsgi-plugin-rack-ruby*'")),
        .. Host.UwsgiPlugins.Contains("rbthreads") ? [Threads, Text("plugin", "rbthreads"), Text("rbthreads", "true")] : Array.Empty<UwsgiSetting>(),
        .. Facts.Has("Gemfile") ? [Text("rbrequire", "bundler/setup")] : Array.Empty<UwsgiSetting>(),
        Text("post-buffering", "4096"),
        Text("rack", script),
        Http("http-socket"),
        .. Gateway,
    ];

    /// <summary>uWSGI itself serves what is no script; what nginx's static folders do not serve, it must not either.</summary>
    private IEnumerable<UwsgiSetting> Php(string folder)
    {
        if (folder.Split('/').Contains(".."))
            throw new UserError($"The folder of 'php', '{folder}', is not in the app.");
        var docroot = $"{Facts.AppFolder}/{folder.Trim('/')}".TrimEnd('/');
        return
        [
            Text("plugin", $"http,0:{UwsgiPlugins.Find(Host, "php", "uwsgi-plugin-php")}"),
            Http("http"),
            .. Gateway,
            Text("check-static", docroot),
            Text("static-skip-ext", ".php"),
            Text("static-skip-ext", ".inc"),
            Text("static-index", "index.html"),
            Text("php-docroot", docroot),
            Text("php-allowed-ext", ".php"),
            Text("php-index", "index.php"),
            .. NginxSettings.CatchAll.TryIn(Variables, out var script) ? [Text("php-fallback2", $"/{script.TrimStart('/')}")] : Array.Empty<UwsgiSetting>(),
            Text("route", $"{StaticFolder.Secret} break:403 Forbidden"),
        ];
    }

    /// <summary>The command itself, quoted, is as it was written (D22).</summary>
    private IEnumerable<UwsgiSetting> Cron(string kind, CronSchedule schedule)
    {
        var run = ShellWords.Join(
        [
            "exec", "/bin/sh", Facts.Paths.CronRun, $"{Facts.Paths.AppLogs(Facts.App)}/.{kind}",
            schedule.Days.IsEmpty ? "*" : string.Join(',', schedule.Days), schedule.Command,
        ]);
        return schedule.Lines.Select(line => Text("cron", $"{line} {run}"));
    }

    private UwsgiSetting Threads => Text("threads", $"{UwsgiSettings.Threads.In(Variables)}");

    private IEnumerable<UwsgiSetting> SocketOptions => SocketAt(Addresses!.SocketPath!);

    /// <summary>Beside the port, at which anybody of this machine may ask.</summary>
    private IEnumerable<UwsgiSetting> Gateway => Addresses!.GatewayPath is { } path ? SocketAt(path) : [];

    private static IEnumerable<UwsgiSetting> SocketAt(string path) => [Text("socket", path), Text("chmod-socket", "664")];

    private UwsgiSetting Http(string option) => Text(option, Addresses!.Servers[0]);

    private static UwsgiSetting Text(string option, string value) => UwsgiSetting.Text(option, value);
}
