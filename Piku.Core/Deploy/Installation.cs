using Piku.Core.Apps;
using Piku.Core.Git;
using Piku.Core.Logs;
using Piku.Core.Model;
using Piku.Core.Services;

namespace Piku.Core.Deploy;

/// <summary>One piku: everything that the stories of this room work with.</summary>
/// <param name="Paths">Where its files are.</param>
/// <param name="Host">Tells what machine it is on.</param>
/// <param name="Clock">Tells what time it is.</param>
public sealed record Installation(PikuPaths Paths, HostReader Host, TimeProvider Clock)
{
    /// <summary>Where the list of Cloudflare's networks is fetched from.</summary>
    public Uri CloudflareSource { get; init; } = CloudflareNetworks.Published;

    public CloudflareNetworks Cloudflare => new(Paths, CloudflareSource);

    /// <summary>The daemon runs nginx, and starts it again when it ends.</summary>
    public bool RunsNginx { get; init; }

    /// <summary>Apps that are built at once.</summary>
    public int ParallelDeploys { get; init; } = 1;

    public DeployQueue Deploys => new(Paths);

    public AppUsers Users { get; } = new(Paths, Clock);

    public AppStore Apps { get; } = new(Paths);

    public LogFollower Logs { get; } = new(Paths);

    public Emperor Emperor { get; } = new(Paths, Clock);

    public NginxServer Nginx { get; } = new(Paths, Host.Environment, Clock);

    public Aftermath Aftermath { get; } = new();

    internal FirstPushes FirstPushes { get; } = new();

    public ControlGroups Groups { get; } = new(Paths);

    /// <summary>git, as the user of an app.</summary>
    public GitProgram GitOf(AppName app) => new(Host.Environment.WithAll(Users.Environment(app)), Users.Of(app));

    public GitRepository RepositoryOf(AppName app) => new(GitOf(app), Paths, app);

    public WorkTree TreeOf(AppName app) => new(GitOf(app), Paths, app);

    public ReleaseStore ReleasesOf(AppName app) => new(Paths, app, Clock);

    public VassalStore Vassals => new(Paths, Emperor);

    /// <summary>A site of files alone runs without a vassal, and an app that is scaled to nothing is still to be deployed.</summary>
    public AppState StateOf(AppName app) =>
        Vassals.Enabled(app).Length > 0 ? AppState.Running
        : Apps.IsStopped(app) ? AppState.Stopped
        : File.Exists(Paths.LiveEnvFile(app)) ? AppState.Running
        : AppState.NotDeployed;
}
