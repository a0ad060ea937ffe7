using System.Collections.Frozen;
using System.Globalization;
using Piku.Core.Machine;
using Piku.Core.Model;
using Piku.Core.Runtimes;
using Piku.Core.Services;

namespace Piku.Core.Deploy;

/// <summary>
/// What machine this is. Read anew for each deploy, because somebody may just have installed what the last one
/// said is missing.
/// </summary>
/// <param name="httpPort">Where nginx listens for http (D18).</param>
/// <param name="httpsPort">Where nginx listens for https.</param>
/// <param name="acmeFolder">Where acme.sh is, if it is; null for where its own installer puts it, <c>~/.acme.sh</c>.</param>
public sealed class HostReader(int httpPort, int httpsPort, string? acmeFolder = null)
{
    /// <summary>Where Debian and its relatives put uWSGI's plugins, one <c>NAME_plugin.so</c> each.</summary>
    private const string PluginFolder = "/usr/lib/uwsgi/plugins";
    private const string PluginEnding = "_plugin.so";

    /// <summary>The kernel's own, in the network namespace that we are in (listen(2)).</summary>
    private const string QueueLimit = "/proc/sys/net/core/somaxconn";

    private readonly HostFacts _basics = new()
    {
        User = UnixUser.Current.Name,
        Group = "www-data",
        Home = UnixUser.Current.Home,
        SystemPath = System.Environment.GetEnvironmentVariable("PATH") is { Length: > 0 } path ? path : "/usr/local/bin:/usr/bin:/bin",
        HttpPort = httpPort,
        HttpsPort = httpsPort,
    };

    private NginxFacts? _nginx;

    /// <summary>The home of the user that piku runs as.</summary>
    public string Home => _basics.Home;

    /// <summary>Where acme.sh keeps itself and its certificates.</summary>
    public string AcmeFolder { get; } = acmeFolder ?? Path.Combine(UnixUser.Current.Home, ".acme.sh");

    /// <summary>What any program of ours may see: HOME, USER and where programs are.</summary>
    public EnvMap Environment => EnvMap.Empty
        .With("HOME", _basics.Home)
        .With("USER", _basics.User)
        .With("PATH", string.Join(':', _basics.SearchPath))
        .With("LANG", "C.UTF-8");

    /// <exception cref="UserError">There is no nginx.</exception>
    public async Task<HostFacts> ReadAsync(CancellationToken cancel)
    {
        var nginx = _nginx ??= await NginxFacts.ReadAsync(Environment, cancel);
        return _basics with
        {
            Tools = RuntimeTable.ToolNames.Where(tool => Tools.Find(tool, Environment["PATH"]) is not null).ToFrozenSet(),
            UwsgiPlugins = Plugins().ToFrozenSet(),
            AcmeProgram = Tools.Find(Path.Combine(AcmeFolder, "acme.sh"), searchPath: null),
            LongestQueue = int.TryParse(AtomicFile.ReadIfExists(QueueLimit)?.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var longest) ? longest : null,
            HasPrlimit = Tools.Find("prlimit", Environment["PATH"]) is not null,
            NginxVersion = nginx.Version,
            NginxHasHttp2 = nginx.HasHttp2,
        };
    }

    private static IEnumerable<string> Plugins() =>
        !Directory.Exists(PluginFolder) ? [] : Directory.EnumerateFiles(PluginFolder, "*" + PluginEnding)
            .Select(file => Path.GetFileName(file)[..^PluginEnding.Length]);
}
