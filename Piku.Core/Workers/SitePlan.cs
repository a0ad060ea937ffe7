using System.Collections.Immutable;
using Piku.Core.Formats;
using Piku.Core.Model;
using Piku.Core.Nginx;
using Piku.Core.Runtimes;
using Piku.Core.Settings;

namespace Piku.Core.Workers;

/// <summary>Decides what an app's nginx site is, from the facts and the settings.</summary>
internal static class SitePlan
{
    /// <exception cref="UserError">A setting cannot be followed; the message names it.</exception>
    public static Site Create(DeployFacts facts, EnvMap environment, Addresses addresses)
    {
        var folders = StaticPlan.Folders(facts, environment);
        var isServedByApp = addresses.Kind != "static";
        if (isServedByApp && folders.Any(folder => folder.Base.Length == 0))
            throw new UserError($"{NginxSettings.StaticPaths.Key} maps '/', which is where '{addresses.Kind}' answers; map a longer address.");
        return new Site
        {
            Name = facts.App.Value,
            ServerNames = ServerNames(facts, environment),
            Listening = Listening(facts.Host, environment),
            Backend = new Backend(addresses.Servers, addresses.SocketPath is null ? BackendProtocol.Http : BackendProtocol.Uwsgi),
            IsServedByApp = isServedByApp,
            Certificate = facts.Paths.Certificate(facts.App),
            CertificateKey = facts.Paths.CertificateKey(facts.App),
            AcmeFolder = facts.Paths.AcmeWww,
            StaticFolders = folders,
            CatchAll = NginxSettings.CatchAll.TryIn(environment, out var file) ? file : null,
            Cache = Cache(facts, environment),
            Included = Included(facts, environment),
            AllowedNetworks = AllowedNetworks(facts, environment),
            FollowsOwnLinksOnly = facts.Host.AppUser is not null,
            IsHttpsOnly = NginxSettings.HttpsOnly.In(environment),
            BlocksGit = !NginxSettings.AllowGitFolders.IsSetIn(environment),
        };
    }

    /// <summary>The names that the app wants and no other has (D28).</summary>
    public static ImmutableArray<string> ServerNames(DeployFacts facts, EnvMap environment)
    {
        ImmutableArray<string> names = [.. NginxSettings.ServerName.In(environment).Distinct(StringComparer.OrdinalIgnoreCase)];
        var taken = names.FirstOrDefault(facts.TakenServerNames.ContainsKey);
        return taken is null ? names : throw new UserError(
            $"The host name '{taken}' belongs to {facts.TakenServerNames[taken]} already; change {NginxSettings.ServerName.Key} of one of them.");
    }

    public static Listening Listening(HostFacts host, EnvMap environment) => new(
        [
            .. NginxSettings.Ipv6Address.IsSetIn(environment) ? [NginxSettings.Ipv6Address.In(environment)] : Array.Empty<string>(),
            NginxSettings.Ipv4Address.In(environment),
        ],
        host.HttpPort, host.HttpsPort,
        !host.NginxHasHttp2 ? Http2.None : host.NginxVersion >= new Version(1, 25, 1) ? Http2.Directive : Http2.OfListen);

    /// <summary>nginx deletes what it does not know in the folder of a cache, so it must be no other folder of piku's.</summary>
    private static AnswerCache? Cache(DeployFacts facts, EnvMap environment)
    {
        var cache = AnswerCache.From(environment, facts.Paths.AppCache(facts.App));
        if (cache is not null && facts.Host.AppUser is not null && !cache.Folder.IsIn(facts.Paths.AppCache(facts.App)))
            throw new UserError($"{NginxSettings.CachePath.Key} must be in {facts.Paths.AppCache(facts.App)}, because nginx writes there as piku, and this app has a user of its own.");
        return cache is null || cache.Folder.IsIn(facts.Paths.Cache) || !(cache.Folder.IsIn(facts.Paths.Root) || facts.Paths.Root.IsIn(cache.Folder))
            ? cache
            : throw new UserError($"{NginxSettings.CachePath.Key} must be a folder of its own: nginx deletes what else is in it.");
    }

    /// <summary>
    /// The app's own directives. Variables of the app are put into arguments that are read already, so that a value
    /// stays a part of one argument.
    /// </summary>
    private static ImmutableArray<NginxDirective> Included(DeployFacts facts, EnvMap environment)
    {
        if (!NginxSettings.IncludeFile.TryIn(environment, out var file))
            return [];
        var text = facts.Texts.GetValueOrDefault(file)
            ?? throw new UserError($"{NginxSettings.IncludeFile.Key} names '{file}', and the app has no such file.");
        try
        {
            var directives = Expanded(NginxDirective.Parse(text), environment);
            if (facts.Host.AppUser is not null)
                ConfinedDirectives.Require(directives);
            return directives;
        }
        catch (UserError error)
        {
            throw new UserError($"{file}: {error.Message}", error);
        }
    }

    private static ImmutableArray<NginxDirective> Expanded(ImmutableArray<NginxDirective> directives, EnvMap environment) =>
    [
        .. directives.Select(directive => directive with
        {
            Arguments = [.. directive.Arguments.Select(argument => NginxArgument.Expression(Expansion.Expand(argument.Value, environment)))],
            Block = directive.Block is { } block ? Expanded(block, environment) : null,
        }),
    ];

    private static ImmutableArray<string>? AllowedNetworks(DeployFacts facts, EnvMap environment)
    {
        if (!NginxSettings.CloudflareAcl.In(environment))
            return null;
        var networks = facts.CloudflareNetworks
            ?? throw new UserError($"{NginxSettings.CloudflareAcl.Key} is on, and Cloudflare's networks cannot be fetched ({facts.CloudflareProblem}); try again, or set it to false.");
        var withIpv6 = !AppSettings.DisableIpv6.In(environment);
        return
        [
            .. networks.Where(network => withIpv6 || !network.Contains(':', StringComparison.Ordinal)),
            .. facts.ClientAddress is { } client ? [client] : Array.Empty<string>(),
            "127.0.0.1",
        ];
    }
}
