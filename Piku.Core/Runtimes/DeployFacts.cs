using System.Collections.Frozen;
using System.Collections.Immutable;
using Piku.Core.Formats;
using Piku.Core.Model;

namespace Piku.Core.Runtimes;

/// <summary>
/// All that a deploy's plans are made from, gathered before they are made. The same facts always give the same plans.
/// </summary>
public sealed record DeployFacts
{
    public required AppName App { get; init; }

    public required PikuPaths Paths { get; init; }

    public required HostFacts Host { get; init; }

    public required Procfile Procfile { get; init; }

    /// <summary>The ENV file in the repository, as written.</summary>
    public ImmutableArray<KeyValuePair<string, string>> RepositoryEnv { get; init; } = [];

    /// <summary>What <c>config:set</c> has set, as written.</summary>
    public ImmutableArray<KeyValuePair<string, string>> ConfigEnv { get; init; } = [];

    /// <summary>What <c>ps:scale</c> and earlier deploys have left, and for other kinds <see cref="RepositoryScaling"/>.</summary>
    public Scaling Scaling { get; init; } = Scaling.Default;

    /// <summary>The SCALING file in the repository.</summary>
    public Scaling RepositoryScaling { get; init; } = Scaling.Default;

    /// <summary>Names of the files and folders directly in the app's folder.</summary>
    public required FrozenSet<string> AppEntries { get; init; }

    /// <summary>The files and folders in <c>envs/APP</c> and in its <c>bin</c>: <c>node_modules</c>, <c>bin/activate</c>.</summary>
    public FrozenSet<string> EnvEntries { get; init; } = [];

    /// <summary>Contents of those <see cref="AppEnvironment.FilesToRead"/> that exist, by their path in the app.</summary>
    public FrozenDictionary<string, string> Texts { get; init; } = FrozenDictionary<string, string>.Empty;

    /// <summary>Where the workers that answer requests are to stand.</summary>
    public Stand Stand { get; init; }

    /// <summary>TCP ports that nobody uses, kept for this deploy: at least one, and one for each count of <c>web</c>.</summary>
    public ImmutableArray<int> FreePorts { get; init; } = [];

    /// <summary>Who has the PORT that the app asks for; null when it is free, or the app's already.</summary>
    public string? PortUser { get; init; }

    /// <summary>Cloudflare's networks (CIDR), IPv4 and IPv6; null when they are not known, or nobody wants to know.</summary>
    public ImmutableArray<string>? CloudflareNetworks { get; init; }

    /// <summary>Why these are not today's, as a part of a sentence; null when they are.</summary>
    public string? CloudflareProblem { get; init; }

    /// <summary>Where the one who deploys comes from; null when that is nowhere, as with a command on the server.</summary>
    public string? ClientAddress { get; init; }

    /// <summary>The host names of other apps' sites, and whose each is, in words that the deployer may read.</summary>
    public FrozenDictionary<string, string> TakenServerNames { get; init; } = FrozenDictionary<string, string>.Empty;

    /// <summary>Of the files and folders that nginx is to serve itself, those that are not there.</summary>
    public FrozenSet<string> MissingPaths { get; init; } = [];

    /// <summary>Of the addresses at which the site is to answer, in brackets those of IPv6, those that this machine has not.</summary>
    public FrozenSet<string> ForeignAddresses { get; init; } = [];

    /// <summary>Where in its repository the app is (PIKU_APP_DIR); empty when it is the whole.</summary>
    public string Directory { get; init; } = "";

    public string AppFolder => Path.Combine(Paths.App(App), Directory);

    public string EnvFolder => Paths.Env(App);

    public bool Has(string entry) => AppEntries.Contains(entry);

    /// <summary>True when a file in the app's folder has one of these extensions.</summary>
    public bool HasExtension(params ReadOnlySpan<string> extensions)
    {
        foreach (var extension in extensions)
        {
            if (AppEntries.Any(entry => entry.EndsWith(extension, StringComparison.Ordinal)))
                return true;
        }
        return false;
    }

    public bool HasWorker(params string[] kinds) => Procfile.Workers.Any(worker => kinds.Contains(worker.Kind));
}
