using System.Collections.Immutable;
using Piku.Core.Formats;
using Piku.Core.Model;
using Piku.Core.Runtimes;
using Piku.Core.Settings;

namespace Piku.Core.Workers;

/// <summary>Turns one line of the Procfile into vassals.</summary>
/// <param name="Facts">All that is known.</param>
/// <param name="Variables">What the workers see.</param>
/// <param name="Addresses">Where they answer; null when none does.</param>
internal sealed record WorkerPlan(DeployFacts Facts, EnvMap Variables, Addresses? Addresses)
{
    private const string LogFormat =
        """%%(addr) - %%(user) [%%(ltime)] "%%(method) %%(uri) %%(proto)" %%(status) %%(size) "%%(referer)" "%%(uagent)" %%(msecs)ms""";

    /// <summary>virtualenv and uv leave the first, and every tool that makes an environment the second (PEP 405).</summary>
    private static readonly string[] VirtualenvMarks = ["bin/activate_this.py", "pyvenv.cfg"];

    /// <summary>The vassals of one kind: as many as its count, or one with that many more processes where uWSGI itself serves.</summary>
    /// <exception cref="UserError">A setting or a plugin is wrong.</exception>
    public IEnumerable<Vassal> Vassals(ProcfileEntry entry)
    {
        var count = Facts.Scaling.Count(entry.Kind);
        return entry.Kind switch
        {
            "static" => [],
            // One vassal keeps the one socket whatever the count is (D20).
            _ when IsServed(entry.Kind) => count == 0 ? [] : [Create(entry, 1, count)],
            _ => Enumerable.Range(1, count).Select(ordinal => Create(entry, ordinal, 1)),
        };
    }

    /// <summary>uWSGI does not start with a longer one than the system has.</summary>
    public static int QueueLength(HostFacts host, EnvMap variables) =>
        Math.Min(UwsgiSettings.Listen.In(variables), host.LongestQueue ?? int.MaxValue);

    private string User => Facts.Host.AppUser is { } own ? $"{own.Id}" : Facts.Host.User;

    private string Group => Facts.Host.AppUser is { } own ? $"{own.Id}" : Facts.Host.Group;

    private Vassal Create(ProcfileEntry entry, int ordinal, int processFactor)
    {
        var log = $"{entry.Kind}.{ordinal}.log";
        var stand = Addresses.AreOf(entry.Kind) ? Facts.Stand : Stand.First;
        var limits = LimitsOf(entry.Kind, processFactor);
        return new Vassal(Facts.App, entry.Kind, ordinal,
            [
                .. Common(entry.Kind, log, UwsgiSettings.Processes.In(Variables) * processFactor),
                .. Idle(),
                .. limits.Settings(Facts.Host, Vassal.NameOf(Facts.App, entry.Kind, ordinal, stand), IsServed(entry.Kind)),
                .. new KindOptions(Facts, Variables, Addresses).Of(entry),
                .. entry.Kind is "wsgi" or "web" ? [UwsgiSetting.Syntax("log-format", LogFormat)] : Array.Empty<UwsgiSetting>(),
                .. Included(),
                .. EnvironmentOf(entry.Kind, ordinal),
            ],
            $"{Facts.Paths.AppLogs(Facts.App)}/{log}",
            ProbeOf(entry, ordinal))
        {
            Stand = stand,
            LimitScript = limits.Script(Facts.Host, Vassal.NameOf(Facts.App, entry.Kind, ordinal, stand)),
        };
    }

    private IEnumerable<UwsgiSetting> Common(string kind, string log, int processes) =>
    [
        UwsgiSetting.Text(LogPipe.Option, $"{LogPipe.Name}={UwsgiSettings.LogMaxSize.In(Variables)} {Facts.App}/{log}"),
        UwsgiSetting.Text("chdir", Facts.AppFolder),
        UwsgiSetting.Text("uid", User),
        UwsgiSetting.Text("gid", Group),
        UwsgiSetting.Text("master", "true"),
        UwsgiSetting.Text("project", Facts.App.Value),
        Number("max-requests", UwsgiSettings.MaxRequests),
        UwsgiSetting.Text("listen", $"{QueueLength(Facts.Host, Variables)}"),
        UwsgiSetting.Text("processes", $"{processes}"),
        UwsgiSetting.Text("procname-prefix", $"{Facts.App}:{kind}:"),
        Flag("enable-threads", UwsgiSettings.EnableThreads),
        Flag("log-x-forwarded-for", UwsgiSettings.LogForwardedFor),
        Number("reload-mercy", AppSettings.StopTimeout),
        .. VirtualenvMarks.Any(Facts.EnvEntries.Contains) ? [UwsgiSetting.Text("virtualenv", Facts.EnvFolder)] : Array.Empty<UwsgiSetting>(),
    ];

    private IEnumerable<UwsgiSetting> Idle() => UwsgiSettings.Idle.TryIn(Variables, out var seconds)
        ? [UwsgiSetting.Text("idle", $"{seconds}"), UwsgiSetting.Text("cheap", "true"), UwsgiSetting.Text("die-on-idle", "true")]
        : [];

    private Limits LimitsOf(string kind, int processFactor) =>
        Limits.Of(Variables, IsServed(kind) ? UwsgiSettings.Processes.In(Variables) * processFactor : 1, processFactor);

    /// <summary>True when uWSGI itself answers for it.</summary>
    private static bool IsServed(string kind) => kind is "wsgi" or "jwsgi" or "rwsgi" or "php";

    /// <summary>
    /// The app's own options, one <c>option = value</c> a line. <c>$NAME</c> is a variable of the app, whose value is text
    /// and no syntax of uWSGI's, or else an option of a line before.
    /// </summary>
    private IEnumerable<UwsgiSetting> Included()
    {
        if (!UwsgiSettings.IncludeFile.TryIn(Variables, out var file))
            yield break;
        var text = Facts.Texts.GetValueOrDefault(file)
            ?? throw new UserError($"{UwsgiSettings.IncludeFile.Key} names '{file}', and the app has no such file.");
        var options = EnvMap.Empty;
        foreach (var (option, raw) in EnvFile.ParseAnyNames(text, file))
        {
            var value = Expansion.Expand(raw, options.WithAll(Variables));
            options = options.With(option, value);
            yield return UwsgiIni.HasSyntax(raw) ? UwsgiSetting.Syntax(option, value) : UwsgiSetting.Text(option, value);
            if (UwsgiIni.HasSyntax(raw) && Expansion.Expand(raw, EnvMap.From(Variables.Where(variable => UwsgiIni.HasSyntax(variable.Value)))) != raw)
                throw new UserError($"{file}: the option '{option}' has syntax of uWSGI's, and a variable whose value would be read as such too; write the value itself.");
        }
    }

    private IEnumerable<UwsgiSetting> EnvironmentOf(string kind, int ordinal)
    {
        var environment = Variables.Without("NGINX_ACL").With("PROC_TYPE", kind);
        if (kind == "web" && Addresses is { } addresses)
            environment = Serves(environment.With(AppSettings.Port.Key, $"{addresses.Ports[ordinal - 1]}"));
        return environment.Where(variable => !IsOptionOfUwsgi(variable.Key)).Select(variable => UwsgiSetting.Env(variable.Key, variable.Value));
    }

    /// <summary>
    /// When uWSGI starts itself anew for a reload, it takes every <c>UWSGI_</c> variable of its environment for an
    /// option (D12). Those of the settings have passed our checks; any other stays out of its sight.
    /// </summary>
    private static bool IsOptionOfUwsgi(string name) =>
        name.StartsWith("UWSGI_", StringComparison.OrdinalIgnoreCase) && SettingTable.Find(name) is null;

    private EnvMap Serves(EnvMap environment) =>
        RuntimeTable.All.FirstOrDefault(runtime => runtime.Marks(Facts))?.Serves(environment) ?? environment;

    private Probe ProbeOf(ProcfileEntry entry, int ordinal) =>
        entry.IsCron ? new Probe.Nothing()
        : Addresses is not { } addresses || addresses.Kind != entry.Kind ? new Probe.Alive()
        : addresses.SocketPath is { } socket ? new Probe.UnixSocket(socket)
        : Probe.Tcp.Of(addresses.Host, addresses.Ports[ordinal - 1]);

    private UwsgiSetting Number(string option, Setting<int> setting) => UwsgiSetting.Text(option, $"{setting.In(Variables)}");

    private UwsgiSetting Flag(string option, Setting<bool> setting) => UwsgiSetting.Text(option, setting.In(Variables) ? "true" : "false");
}
