namespace Piku.Core.Settings;

/// <summary>What an app says about itself and its address.</summary>
public static class AppSettings
{
    public static readonly Setting<bool> AutoRestart = new("PIKU_AUTO_RESTART", ValueFormats.Boolean,
        "Restart the running workers at a deploy; with false they keep running as they are until `restart`.")
    { Default = "true" };

    public static readonly Setting<bool> ZeroDowntime = new("PIKU_ZERO_DOWNTIME", ValueFormats.Boolean,
        "Start the new workers beside the old, and stop the old when the new answer; with false, for small devices, the old stop first. With a PORT of its own an app always restarts in place.")
    { Default = "true" };

    public static readonly Setting<string> HealthPath = new("PIKU_HEALTH_PATH", ValueFormats.RequestTarget,
        "An address of the app, such as /health, that must answer GET with a status below 400 before a new version is switched to.");

    public static readonly Setting<int> HealthTimeout = new("PIKU_HEALTH_TIMEOUT", ValueFormats.Number(1, 3600),
        "Seconds that new workers may take until they are up and healthy.")
    { Default = "60" };

    public static readonly Setting<int> BuildTimeout = new("PIKU_BUILD_TIMEOUT", ValueFormats.Number(1, 86400),
        "Seconds that preflight, build and release may take together, and the fetching of submodules before; then they are ended, with all that they have started.")
    { Default = "1800" };

    public static readonly Setting<int> DrainTimeout = new("PIKU_DRAIN_TIMEOUT", ValueFormats.Number(0, 3600),
        "Seconds that the workers of the version before may take to finish the requests they have.")
    { Default = "30" };

    public static readonly Setting<int> StopTimeout = new("PIKU_STOP_TIMEOUT", ValueFormats.Number(1, 3600),
        "Seconds that workers, with all that they have started, may take to end after SIGTERM; then they get SIGKILL.")
    { Default = "10" };

    public static readonly Setting<int> MemoryLimit = new("PIKU_MEMORY_LIMIT", ValueFormats.Number(16, 1_048_576),
        "MiB of memory that each process of the app may take; a wsgi, jwsgi, rwsgi or php one that has taken more is replaced after its request.");

    public static readonly Setting<decimal> CpuLimit = new("PIKU_CPU_LIMIT", ValueFormats.Cores,
        "Processor cores that each worker may use, such as 0.5; for this piku must have been given control groups.");

    /// <summary>Releases that are kept when the app says nothing: some weeks of work, and a few MiB.</summary>
    public const int MostReleases = 30;

    public static readonly Setting<int> ReleasesKept = new("PIKU_RELEASES_KEEP", ValueFormats.Number(2, 1000),
        "How many releases, with their logs, are kept for `releases` and `rollback`.")
    { Default = "30", IsForgiving = true };

    public static readonly Setting<string> DeployBranch = new("PIKU_DEPLOY_BRANCH", ValueFormats.Branch,
        "The only branch whose pushes are deployed; without it, the branch that is pushed, and of several main or master.");

    public static readonly Setting<string> Directory = new("PIKU_APP_DIR", ValueFormats.RelativeFolder,
        "The folder of the repository that is the app, with its Procfile and ENV, where several share one; in the ENV file it stands in that of the whole repository.");

    public static readonly Setting<int> Port = new("PORT", ValueFormats.Number(1, 65535),
        "The TCP port of the app's web process; without it a free one is picked at each deploy. A second process gets another.");

    public static readonly Setting<string> BindAddress = new("BIND_ADDRESS", ValueFormats.BindAddress,
        "The address that the app listens on.")
    { Default = "127.0.0.1" };

    public static readonly Setting<bool> DisableIpv6 = new("DISABLE_IPV6", ValueFormats.Boolean,
        "Leave IPv6 out of the site: nginx listens on IPv4 only, unless NGINX_IPV6_ADDRESS is set.")
    { Default = "false" };

    public static readonly Setting<string> AcmeRootCa = new("ACME_ROOT_CA", ValueFormats.Certifier,
        "The authority that acme.sh gets the site's certificate from.")
    { Default = "letsencrypt.org" };

    public static readonly Setting[] All = [AutoRestart, ZeroDowntime, HealthPath, HealthTimeout, BuildTimeout, DrainTimeout, StopTimeout, MemoryLimit, CpuLimit, ReleasesKept, DeployBranch, Directory, Port, BindAddress, DisableIpv6, AcmeRootCa];
}
