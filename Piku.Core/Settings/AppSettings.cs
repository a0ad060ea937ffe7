namespace Piku.Core.Settings;

/// <summary>What an app says about itself and its address.</summary>
public static class AppSettings
{
    public static readonly Setting<bool> AutoRestart = new("PIKU_AUTO_RESTART", ValueFormats.Boolean,
        "Restart the running workers at a deploy; with false they keep running as they are until `restart`.")
    { Default = "true" };

    /// <summary>Releases that are kept when the app says nothing: some weeks of work, and a few MiB.</summary>
    public const int MostReleases = 30;

    public static readonly Setting<int> ReleasesKept = new("PIKU_RELEASES_KEEP", ValueFormats.Number(2, 1000),
        "How many releases, with their logs, are kept for `releases` and `rollback`.")
    { Default = "30", IsForgiving = true };

    public static readonly Setting<string> DeployBranch = new("PIKU_DEPLOY_BRANCH", ValueFormats.Branch,
        "The only branch whose pushes are deployed; without it, the branch that is pushed, and of several main or master.");

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

    public static readonly Setting[] All = [AutoRestart, ReleasesKept, DeployBranch, Port, BindAddress, DisableIpv6, AcmeRootCa];
}
