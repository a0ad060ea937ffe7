using System.Collections.Immutable;
using Piku.Core.Formats;
using Piku.Core.Model;
using Piku.Core.Nginx;
using Piku.Core.Runtimes;
using Piku.Core.Settings;

namespace Piku.Core.Workers;

/// <summary>What an app is when it runs: made again, from the facts of that moment, by a deploy, a restart and a scaling.</summary>
/// <param name="LiveEnv">For LIVE_ENV, <c>run</c> and <c>config:live</c>.</param>
/// <param name="Scaling">For SCALING: a count for each worker of the Procfile.</param>
/// <param name="Vassals">All that are to be; any other of the app is to go.</param>
/// <param name="Site">Null when the app has no host name.</param>
/// <param name="Urls">Where the app answers, in words where there is no one address; empty when nowhere.</param>
/// <param name="Warnings">One sentence each.</param>
public sealed record LivePlan(
    EnvMap LiveEnv, Scaling Scaling, ImmutableArray<Vassal> Vassals, Site? Site, ImmutableArray<string> Urls, ImmutableArray<string> Warnings)
{
    /// <summary>How acme.sh gets the site's certificate; empty without acme.sh or a site.</summary>
    public ImmutableArray<BuildAction.Run> CertificateCalls { get; init; } = [];

    /// <summary>The kind of worker that would answer, when it is scaled to none; else null.</summary>
    public string? ClosedKind { get; init; }

    /// <summary>False when the app wants its workers left as they are until it is restarted (PIKU_AUTO_RESTART).</summary>
    public bool RestartsWorkers => AppSettings.AutoRestart.In(LiveEnv);

    /// <exception cref="UserError">The app cannot run here as it is.</exception>
    public static LivePlan Create(DeployFacts facts)
    {
        var (variables, warnings) = AppEnvironment.Create(facts);
        var hasSite = NginxSettings.ServerName.TryIn(variables, out _);
        var addresses = Addresses.Of(facts, variables, hasSite);
        var site = hasSite && addresses is not null ? SitePlan.Create(facts, variables, addresses) : null;
        var live = site is null ? variables : WithSite(variables, facts.Paths, site, addresses!);
        var workers = new WorkerPlan(facts, live, addresses);
        var plan = new LivePlan(
            live,
            facts.Procfile.Workers.Aggregate(Scaling.Default, (scaling, worker) => scaling.With(worker.Kind, facts.Scaling.Count(worker.Kind))),
            [.. facts.Procfile.Workers.SelectMany(workers.Vassals)],
            site,
            AddressesOf(facts, site, addresses),
            [.. warnings, .. Advice(facts, live, addresses, site)])
        {
            CertificateCalls = site is null ? [] : AcmePlan.Create(facts, live, site),
            ClosedKind = addresses is not null && SitePlan.IsClosed(facts, addresses) ? addresses.Kind : null,
        };
        plan.WriteOnce();
        return plan;
    }

    /// <summary>What can be told before anything is built: that a host name or a port has an owner already.</summary>
    /// <exception cref="UserError">It has.</exception>
    public static void RefuseTaken(DeployFacts facts)
    {
        var variables = AppEnvironment.Create(facts).Variables;
        var hasSite = NginxSettings.ServerName.TryIn(variables, out _);
        if (Addresses.Of(facts, variables, hasSite) is not null && hasSite)
            _ = SitePlan.ServerNames(facts, variables);
    }

    /// <summary>What the app asks for and does not get, as it stands.</summary>
    private static IEnumerable<string> Advice(DeployFacts facts, EnvMap variables, Addresses? addresses, Site? site)
    {
        if (addresses is { Kind: "static" } && site is null)
            yield return $"Only nginx serves a static app: set {NginxSettings.ServerName.Key} to its host name.";
        if (addresses is null && NginxSettings.ServerName.IsSetIn(variables))
            yield return $"{NginxSettings.ServerName.Key} has no effect: no kind of the Procfile answers requests, which {string.Join(", ", Addresses.Kinds)} and static do.";
        foreach (var kind in facts.RepositoryScaling.Counts.Select(pair => pair.Key).Where(kind => !facts.HasWorker(kind)))
            yield return $"SCALING names '{kind}', which is no worker of the Procfile.";
        if (Limits.Problem(facts.Host, variables) is { } problemOfLimits)
            yield return problemOfLimits;
        if (site is { AllowedNetworks: not null } && facts.CloudflareProblem is { } problem)
            yield return $"Cloudflare's networks could not be fetched ({problem}); the last ones known are let in.";
        if (UwsgiSettings.Listen.In(variables) is var wanted && WorkerPlan.QueueLength(facts.Host, variables) is var length && length < wanted)
            yield return $"{UwsgiSettings.Listen.Key} is {wanted}, and the system allows {length} (/proc/sys/net/core/somaxconn): the app starts with {length}.";
        if (site is not null)
        {
            foreach (var advice in AdviceOfSite(facts, variables, addresses!, site))
                yield return advice;
        }
        if (addresses is not { Kind: "wsgi" })
            yield break;
        var version = PythonRuntimes.Version(facts, variables);
        if (UwsgiPlugins.PythonMismatch(facts.Host, version) is { } mismatch)
            yield return mismatch;
        if (UwsgiSettings.Gevent.IsSetIn(variables) && !UwsgiPlugins.IsPython2(version))
            yield return $"{UwsgiSettings.Gevent.Key} is for Python 2; with Python 3 use {UwsgiSettings.Asyncio.Key} or UWSGI_THREADS.";
    }

    private static IEnumerable<string> AdviceOfSite(DeployFacts facts, EnvMap variables, Addresses addresses, Site site)
    {
        if (NginxSettings.CatchAll.IsSetIn(variables) && addresses.Kind != "php" && site.StaticFolders.IsEmpty)
            yield return $"{NginxSettings.CatchAll.Key} has no effect: it is for static folders and for php, and '{addresses.Kind}' answers for every path itself.";
        foreach (var path in StaticPlan.StillMissing(facts, variables))
            yield return $"{NginxSettings.StaticPaths.Key} names {path}, which does not exist yet: until the app makes it, nginx answers 404 there.";
        if (NginxSettings.Sticky.IsSetIn(variables) && addresses.Kind != "web")
            yield return $"{NginxSettings.Sticky.Key} has no effect: it is for several processes of 'web', and uWSGI gives those of '{addresses.Kind}' their requests itself.";
        if (facts.Host.AcmeProgram is not null && site.ServerNames.FirstOrDefault(name => !HostPattern.IsName(name)) is { } pattern)
            yield return $"acme.sh gets no certificate for '{pattern}': an authority proves such names by DNS, which piku does not manage. Browsers warn of a self-signed one unless you put one into {site.Certificate} and {site.CertificateKey}.";
    }

    /// <summary>What no file can hold is to be known before anything is written.</summary>
    private void WriteOnce()
    {
        foreach (var vassal in Vassals)
            _ = vassal.Ini;
        _ = Site?.ToDirectives();
    }

    /// <summary>What upstream tells an app of its site.</summary>
    private static EnvMap WithSite(EnvMap variables, PikuPaths paths, Site site, Addresses addresses)
    {
        var told = variables
            .With(NginxSettings.ServerName.Key, string.Join(' ', site.ServerNames))
            .With("NGINX_SSL", site.Listening.HttpsParameters)
            .With("NGINX_HTTP2", site.Listening.Http2 is Http2.Directive ? "http2 on;" : "")
            .With("NGINX_ROOT", paths.NginxRoot)
            .With("ACME_WWW", paths.AcmeWww)
            .With("NGINX_SOCKET", addresses.Servers[0])
            .With("NGINX_ACL", site.AllowedNetworks is { } networks ? string.Concat(networks.Select(network => $"allow {network}; ")) + "deny all;" : "");
        return addresses.SocketPath is null ? told
            : told.Without(AppSettings.Port.Key).With(AppSettings.BindAddress.Key, addresses.Servers[0]);
    }

    private static ImmutableArray<string> AddressesOf(DeployFacts facts, Site? site, Addresses? addresses) =>
        addresses is null || SitePlan.IsClosed(facts, addresses) ? []
        : site is not null ? [.. site.ServerNames.Select(name => AddressOf(name, site.Listening.HttpsPort))]
        : addresses is { Kind: "static" } ? []
        : [$"http://{addresses.Servers[0]}"];

    /// <summary>What a person can type, or what they may.</summary>
    private static string AddressOf(string name, int port)
    {
        var ending = port == 443 ? "" : $":{port}";
        return HostPattern.IsName(name) ? $"https://{name}{ending}"
            : name[0] == '.' ? $"https://{name[1..]}{ending} and every name below it"
            : $"{HostPattern.InWords(name)}, over https on port {port}";
    }
}
