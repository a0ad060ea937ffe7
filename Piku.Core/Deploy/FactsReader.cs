using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Net;
using Piku.Core.Formats;
using Piku.Core.Machine;
using Piku.Core.Model;
using Piku.Core.Nginx;
using Piku.Core.Runtimes;
using Piku.Core.Services;
using Piku.Core.Settings;
using Piku.Core.Workers;

namespace Piku.Core.Deploy;

/// <summary>Gathers what the plans of one app are made from, for one deploy. Reads only.</summary>
/// <param name="by">Who deploys.</param>
internal sealed class FactsReader(Installation piku, AppName app, Deployer by)
{
    /// <summary>No include file of an app is longer; what is would be no configuration.</summary>
    private const long MaxTextBytes = 1 << 20;

    private readonly Owner _user = piku.Users.Of(app);
    private KnownNetworks? _cloudflare;

    /// <exception cref="UserError">There is no Procfile, or a file of the app is not what it should be.</exception>
    public async Task<DeployFacts> ReadAsync(CancellationToken cancel)
    {
        var facts = await ReadWithoutTextsAsync(cancel);
        var environment = AppEnvironment.Create(facts);
        var cloudflare = NginxSettings.CloudflareAcl.In(environment.Variables) ? _cloudflare ??= await piku.Cloudflare.ReadAsync(cancel) : null;
        return facts with
        {
            Texts = _user.Do(() => Texts(facts.AppFolder, environment.FilesToRead)),
            CloudflareNetworks = cloudflare?.Networks,
            CloudflareProblem = cloudflare?.Problem,
            PortUser = PortUser(environment.Variables, facts.FreePorts),
            Stand = StandFor(environment.Variables),
            MissingPaths = _user.Do(() => StaticPlan.Paths(facts, environment.Variables).Where(path => !Path.Exists(path)).ToFrozenSet()),
            ForeignAddresses = ForeignAddresses(environment.Variables),
        };
    }

    /// <summary>All that decides the app's environment, and no more.</summary>
    /// <inheritdoc cref="ReadAsync" path="/exception"/>
    public async Task<DeployFacts> ReadWithoutTextsAsync(CancellationToken cancel)
    {
        var directory = AppDirectory.Of(piku, app);
        var folder = Path.Combine(piku.Paths.App(app), directory);
        var entries = Entries(folder);
        var procfile = Text("Procfile") is { } text ? Procfile.Parse(text)
            : ImpliedProcfile.Of(entries.Contains, Text("package.json")) is { } implied && Misnamed(entries) is null ? implied
            : throw NoProcfile(directory, Misnamed(entries));
        var inRepository = Scaling.Parse(Text("SCALING") ?? "");
        if (inRepository.Counts.Select(pair => ScaleChange.Problem(pair.Key, pair.Value)).OfType<string>().FirstOrDefault() is { } problem)
            throw new UserError($"SCALING in the repository: {problem}");
        var scaling = piku.Apps.Scaling(app).WithDefaults(inRepository);
        return new DeployFacts
        {
            App = app,
            Directory = directory,
            Paths = piku.Paths,
            Host = ForUser(await piku.Host.ReadAsync(cancel)) with { Groups = piku.Groups.Read() },
            Procfile = procfile,
            RepositoryEnv = EnvFile.Parse(Text("ENV") ?? "", "ENV"),
            ConfigEnv = [.. piku.Apps.Config(app)],
            Scaling = scaling,
            RepositoryScaling = inRepository,
            AppEntries = entries.ToFrozenSet(),
            EnvEntries = Entries(piku.Paths.Env(app)).Concat(Entries(Path.Combine(piku.Paths.Env(app), "bin")).Select(name => "bin/" + name)).ToFrozenSet(),
            FreePorts = [.. FreePorts.Find(PortsWanted(procfile, scaling), TakenPorts())],
            ClientAddress = by.AllowedAddress,
            TakenServerNames = TakenServerNames(),
        };

        string? Text(string name) => _user.Do(() => AtomicFile.ReadBytesIfExists(Path.Combine(folder, name))) is { } bytes ? AppText.Read(bytes, name) : null;
    }

    /// <summary>What differs for an app with a user of its own.</summary>
    private HostFacts ForUser(HostFacts host) => !_user.IsOther ? host
        : host with { AppUser = new(_user.User, piku.Users.Environment(app)["USER"], piku.Paths.Home(app)) };

    /// <summary>A file whose name is the Procfile's but for capitals; null for none.</summary>
    private static string? Misnamed(List<string> entries) => entries.Find(entry => entry.Equals("Procfile", StringComparison.OrdinalIgnoreCase));

    private UserError NoProcfile(string directory, string? misnamed) => new(misnamed is not null
        ? $"'{app}' has a file '{misnamed}', and no Procfile: rename it ('git mv {misnamed} Procfile'), commit it and push again."
        : $"'{app}' has no Procfile{(directory.Length > 0 ? $" in '{directory}'" : "")}: add a file named Procfile with a line such as 'web: node server.js' or 'wsgi: app:app', commit it and push again.");

    private static int PortsWanted(Procfile procfile, Scaling scaling) =>
        Math.Max(1, procfile.Workers.Sum(worker => scaling.Count(worker.Kind)));

    /// <summary>Ports that other apps have, also those that do not listen at this moment.</summary>
    private FrozenSet<int> TakenPorts() =>
        Others().Select(env => env.Live.Find("PORT")).Select(text => int.TryParse(text, out var port) ? port : 0).ToFrozenSet();

    /// <summary>The workers that run now may have the port: theirs are replaced.</summary>
    /// <param name="free">Ports just found. They are not tried again: another deployment may be trying them at this moment.</param>
    private string? PortUser(EnvMap environment, ImmutableArray<int> free)
    {
        if (!AppSettings.Port.TryIn(environment, out var port) || free.Contains(port))
            return null;
        var isOurs = piku.StateOf(app) is AppState.Running && piku.Apps.LiveEnv(app)?.Find(AppSettings.Port.Key) == $"{port}";
        var address = IPAddress.TryParse(AppSettings.BindAddress.In(environment), out var bound) ? bound : IPAddress.Loopback;
        return isOurs || FreePorts.IsFree(address, port) ? null
            : Others().FirstOrDefault(other => other.Live.Find(AppSettings.Port.Key) == $"{port}").App is { } owner ? by.NameOf(owner)
            : "another program of this machine";
    }

    private static FrozenSet<string> ForeignAddresses(EnvMap environment) =>
        new[] { NginxSettings.Ipv4Address, NginxSettings.Ipv6Address }
            .Where(setting => setting.IsSetIn(environment)).Select(setting => setting.In(environment))
            .Where(address => !Listening.IsAny(address) && !FreePorts.IsOurs(IPAddress.Parse(address.Trim('[', ']')))).ToFrozenSet();

    /// <summary>Beside the version that runs, unless there is no room: one port cannot have two listeners.</summary>
    private Stand StandFor(EnvMap environment)
    {
        var isAlone = !AppSettings.ZeroDowntime.In(environment)
            || (environment.Find(AppSettings.Port.Key) is { } port && piku.Apps.LiveEnv(app)?.Find(AppSettings.Port.Key) == port);
        return isAlone ? piku.Vassals.CurrentStand(app) : piku.Vassals.FreeStand(app);
    }

    /// <summary>Without regard to case, as DNS and nginx compare names (RFC 4343).</summary>
    private FrozenDictionary<string, string> TakenServerNames() => piku.Apps.All()
        .Where(other => other != app)
        .SelectMany(other => NamesOf(other).SelectMany(HostPattern.Forms).Select(name => (Name: name, App: other)))
        .DistinctBy(taken => taken.Name, StringComparer.OrdinalIgnoreCase)
        .ToFrozenDictionary(taken => taken.Name, taken => by.NameOf(taken.App), StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// Of an app with a user of its own those of its site, which is piku's: its other files may say what it likes, and so
    /// keep a name from whoever has it.
    /// </summary>
    private string[] NamesOf(AppName other) => !piku.Users.Of(other).IsOther
        ? (piku.Apps.ReadableLiveEnv(other)?.Find(NginxSettings.ServerName.Key) ?? "").Split([' ', ','], StringSplitOptions.RemoveEmptyEntries)
        :
        [
            .. NginxDirective.Parse(AtomicFile.ReadIfExists(piku.Paths.NginxSite(other)) ?? "")
                .Where(directive => directive.Name == "server").SelectMany(server => server.Block ?? [])
                .Where(directive => directive.Name == "server_name").SelectMany(names => names.Arguments).Select(name => name.Value),
        ];

    private IEnumerable<(AppName App, EnvMap Live)> Others() =>
        from other in piku.Apps.All()
        where other != app
        let live = piku.Apps.ReadableLiveEnv(other)
        where live is not null
        select (other, live);

    /// <summary>
    /// Only files inside the app are read, whatever a setting or a symbolic link says. What is read may name more to read.
    /// </summary>
    private static FrozenDictionary<string, string> Texts(string folder, Func<IReadOnlyDictionary<string, string>, IEnumerable<string>> wanted)
    {
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        var tried = new HashSet<string>(StringComparer.Ordinal);
        while (wanted(texts).FirstOrDefault(tried.Add) is { } name)
        {
            var file = new FileInfo(Path.GetFullPath(Path.Combine(folder, name)));
            if (file.FullName.StartsWith(folder + "/", StringComparison.Ordinal) && file is { Exists: true, Length: <= MaxTextBytes, LinkTarget: null })
                texts[name] = AppText.Read(AtomicFile.ReadBytesIfExists(file.FullName), name);
        }
        return texts.ToFrozenDictionary(StringComparer.Ordinal);
    }

    private List<string> Entries(string folder) => _user.Do(() => !Directory.Exists(folder) ? [] :
        new DirectoryInfo(folder).EnumerateFileSystemInfos().Select(entry => entry.Name).ToList());
}
