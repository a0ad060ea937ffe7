using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Piku.Core.Formats;
using Piku.Core.Model;
using Piku.Core.Runtimes;

namespace Piku.Tests.Plans;

/// <summary>
/// The machine that a case was recorded on, as facts: the app's files as the steps change them, and what builds
/// have left behind.
/// </summary>
internal sealed partial class UpstreamMachine(Recording recording)
{
    /// <summary>Debian 12 with uWSGI's language plugins, and those for Python 2 that upstream names.</summary>
    private static readonly FrozenSet<string> Plugins =
    [
        "asyncio_python3", "gevent_python", "greenlet_python3", "http", "jvm", "jvm_openjdk17", "jwsgi", "jwsgi_openjdk17", "php",
        "python", "python3", "rack", "rack_ruby31", "rbthreads",
    ];

    private readonly HashSet<string> _made = [];
    private readonly HashSet<string> _entries = [];
    private readonly Dictionary<string, string> _fingerprints = [];
    private ImmutableDictionary<string, string> _files = recording.Files;

    /// <summary>What a commit changed; the one without files is the one that takes the Procfile away.</summary>
    public void Commit(RecordedStep step) => _files = step.Files.IsEmpty ? _files.Remove("Procfile") : _files.SetItems(step.Files);

    /// <summary>Takes the refused line out of the Procfile, so that the rest can be compared; false when it is not about one.</summary>
    public bool Mend(UserError refusal)
    {
        if (ProcfileLine().Match(refusal.Message) is not { Success: true } match)
            return false;
        var lines = _files["Procfile"].Split('\n');
        lines[int.Parse(match.Groups[1].Value) - 1] = "";
        _files = _files.SetItem("Procfile", string.Join('\n', lines));
        return true;
    }

    /// <summary>The facts of this moment.</summary>
    /// <exception cref="UserError">A file of the app cannot be read.</exception>
    public DeployFacts Facts(EnvMap config, Scaling scaling, ImmutableArray<int> ports) => new()
    {
        App = AppName.Parse(recording.App),
        Paths = new PikuPaths(Recording.Home + "/.piku"),
        Host = new HostFacts
        {
            User = Recording.User,
            Group = "www-data",
            Home = Recording.Home,
            SystemPath = "/usr/local/bin:/usr/bin:/bin:/usr/games",
            Tools = [.. recording.FakeTools, "virtualenv", "node"],
            UwsgiPlugins = Plugins,
            NginxVersion = new Version(1, 22, 1),
            NginxHasHttp2 = true,
        },
        Procfile = Procfile.Parse(_files.GetValueOrDefault("Procfile") ?? throw new UserError("The app has no Procfile.")),
        RepositoryEnv = _files.TryGetValue("ENV", out var env) ? EnvFile.Parse(env, "ENV") : [],
        ConfigEnv = [.. config],
        Scaling = scaling,
        AppEntries = [.. _files.Keys.Select(path => path.Split('/')[0]), .. _entries],
        EnvEntries = [.. _made],
        // Upstream starts pip and npm for apps that name no packages, too, as most recorded ones are. So here they name some.
        Texts = _files.ToFrozenDictionary(file => file.Key, file => file.Key switch
        {
            "requirements.txt" => "something\n",
            "package.json" => file.Value.Replace("{}", "{\"engines\":0}", StringComparison.Ordinal).Replace("{\"name\"", "{\"engines\":0,\"name\"", StringComparison.Ordinal),
            _ => file.Value,
        }),
        FreePorts = ports,
        CloudflareNetworks = ["173.245.48.0/20", "103.21.244.0/22", "2400:cb00::/32", "2606:4700::/32"],
        ClientAddress = "127.0.0.1",
    };

    /// <summary>What a build runs, by the rule for steps whose inputs have not changed; what it makes is remembered.</summary>
    public ImmutableArray<BuildAction.Run> Build(DeployFacts facts, BuildPlan plan)
    {
        var runs = ImmutableArray.CreateBuilder<BuildAction.Run>();
        foreach (var step in plan.Steps)
        {
            var fingerprint = string.Join('\n', [.. step.Inputs.Select(name => _files.GetValueOrDefault(name, "-")), .. step.InputValues]);
            var isAlways = step.Inputs.IsEmpty && step.InputValues.IsEmpty;
            if (!isAlways && !step.IsMissing && _fingerprints.GetValueOrDefault(step.Name) == fingerprint)
                continue;
            _fingerprints[step.Name] = fingerprint;
            foreach (var action in step.Actions)
            {
                if (action is BuildAction.Run run)
                    runs.Add(run);
                _made.UnionWith(MadeBy(facts, action));
                if (action is BuildAction.Run { Argv: ["bundle", "config", ..] })
                    _entries.Add(".bundle");
            }
        }
        return runs.ToImmutable();
    }

    private static IEnumerable<string> MadeBy(DeployFacts facts, BuildAction action) => action switch
    {
        BuildAction.Run { Argv: ["virtualenv", ..] } => ["bin/activate", "bin/activate_this.py"],
        BuildAction.MakeFolder folder when folder.Path.StartsWith(facts.EnvFolder + "/", StringComparison.Ordinal) => [folder.Path[(facts.EnvFolder.Length + 1)..]],
        _ => [],
    };

    [GeneratedRegex(@"^Procfile line (\d+) ")]
    private static partial Regex ProcfileLine();
}
