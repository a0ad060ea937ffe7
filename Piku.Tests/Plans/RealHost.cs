using System.Collections.Immutable;
using Piku.Core.Apps;
using Piku.Core.Formats;
using Piku.Core.Machine;
using Piku.Core.Model;
using Piku.Core.Nginx;
using Piku.Core.Runtimes;
using Piku.Core.Workers;

namespace Piku.Tests.Plans;

/// <summary>This machine and an empty installation on it, to ask the real nginx and uWSGI what they think of plans.</summary>
internal sealed class RealHost : IDisposable
{
    private const string PluginFolder = "/usr/lib/uwsgi/plugins";

    private static readonly EnvMap Environment = EnvMap.Empty.With("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");

    private readonly TemporaryFolder _folder = new();

    public RealHost()
    {
        Paths = new PikuPaths(_folder.Path);
        Installer.Run(Paths);
    }

    public PikuPaths Paths { get; }

    public HostFacts Facts { get; } = new()
    {
        User = UnixUser.Current.Name,
        Group = UnixUser.Current.Group,
        Home = UnixUser.Current.Home,
        SystemPath = "/usr/bin:/bin",
        UwsgiPlugins = Directory.Exists(PluginFolder)
            ? [.. Directory.EnumerateFiles(PluginFolder, "*_plugin.so").Select(file => Path.GetFileName(file)[..^"_plugin.so".Length])] : [],
        NginxVersion = new Version(1, 22, 1),
        NginxHasHttp2 = true,
        HttpPort = 18080,
        HttpsPort = 18443,
    };

    /// <summary>Puts an app with these files in its place.</summary>
    public void Install(AppName app, IEnumerable<KeyValuePair<string, string>> files)
    {
        foreach (var (name, text) in files)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(Paths.App(app), name))!);
            File.WriteAllText(Path.Combine(Paths.App(app), name), text);
        }
        foreach (var folder in new[] { Paths.App(app), Paths.AppLogs(app), Paths.AppCache(app) })
            Directory.CreateDirectory(folder);
    }

    /// <summary>What nginx has against a site; null when it accepts it.</summary>
    public async Task<string?> NginxRefusalAsync(Site site, CancellationToken cancellationToken)
    {
        var certificate = SelfSignedCertificate.Create(["localhost"], TimeProvider.System);
        await File.WriteAllTextAsync(site.Certificate, certificate.Certificate, cancellationToken);
        await File.WriteAllTextAsync(site.CertificateKey, certificate.Key, cancellationToken);
        var names = Directory.CreateDirectory(_folder["nginx-temporary"]).FullName;
        ImmutableArray<NginxDirective> config =
        [
            NginxDirective.Of("pid", names + "/pid"),
            NginxDirective.Of("events", [], []),
            NginxDirective.Of("http", [],
            [
                .. new[] { "client_body", "proxy", "fastcgi", "uwsgi", "scgi" }.Select(one => NginxDirective.Of($"{one}_temp_path", $"{names}/{one}")),
                NginxDirective.Of("server_names_hash_bucket_size", "256"),
                .. RequestVariables.Define([]),
                .. site.ToDirectives(),
            ]),
        ];
        await File.WriteAllTextAsync(_folder["nginx.conf"], NginxDirective.Write(config), cancellationToken);
        return await RefusalAsync("nginx", ["-t", "-q", "-e", "stderr", "-c", _folder["nginx.conf"]], cancellationToken);
    }

    /// <summary>What uWSGI has against a vassal, after it has read it and loaded plugins and app; null when it accepts it.</summary>
    public async Task<string?> UwsgiRefusalAsync(Vassal vassal, CancellationToken cancellationToken)
    {
        var file = Path.Combine(Paths.VassalsAvailable, vassal.FileName);
        await File.WriteAllTextAsync(file, vassal.Ini, cancellationToken);
        return await RefusalAsync("uwsgi", ["--no-server", "--ini", file], cancellationToken);
    }

    public void Dispose() => _folder.Dispose();

    private static async Task<string?> RefusalAsync(string program, string[] arguments, CancellationToken cancellationToken)
    {
        var run = await ChildProcess.CaptureAsync(
            new() { Program = program, Arguments = arguments, Folder = "/", Environment = Environment }, cancellationToken);
        return run.Status.Succeeded ? null : $"{program}: {run.Status}\n{run.Error}{run.Output}";
    }
}
