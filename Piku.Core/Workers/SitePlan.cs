using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Piku.Core.Formats;
using Piku.Core.Model;
using Piku.Core.Nginx;
using Piku.Core.Runtimes;
using Piku.Core.Settings;

namespace Piku.Core.Workers;

/// <summary>Decides what an app's nginx site is, from the facts and the settings.</summary>
internal static partial class SitePlan
{
    /// <exception cref="UserError">A setting cannot be followed; the message names it.</exception>
    public static Site Create(DeployFacts facts, EnvMap environment, Addresses addresses)
    {
        var folders = StaticPlan.Folders(facts, environment);
        var isServedByApp = addresses.Kind != "static";
        var hasCatchAll = NginxSettings.CatchAll.TryIn(environment, out var catchAll);
        var isBehindCloudflare = NginxSettings.CloudflareAcl.In(environment);
        if (isServedByApp && folders.Any(folder => folder.Base.Length == 0))
            throw new UserError($"{NginxSettings.StaticPaths.Key} maps '/', which is where '{addresses.Kind}' answers; map a longer address.");
        return new Site
        {
            Name = facts.App.Value,
            ServerNames = ServerNames(facts, environment),
            Listening = Listening(facts, environment),
            Backend = new Backend(addresses.Backends, addresses.AreUwsgi ? BackendProtocol.Uwsgi : BackendProtocol.Http),
            IsServedByApp = isServedByApp,
            IsClosed = IsClosed(facts, addresses),
            Certificate = facts.Paths.Certificate(facts.App),
            CertificateKey = facts.Paths.CertificateKey(facts.App),
            AcmeFolder = facts.Paths.AcmeWww,
            StaticFolders = folders,
            CatchAll = addresses.Kind == "php" ? null : catchAll,
            HasFrontController = addresses.Kind == "php" && hasCatchAll,
            Cache = Cache(facts, environment),
            Included = Included(facts, environment),
            AllowedNetworks = isBehindCloudflare ? [.. Cloudflare(facts, environment), .. facts.ClientAddress is { } client ? [client] : Array.Empty<string>(), "127.0.0.1"] : null,
            VouchingNetworks = isBehindCloudflare ? [.. Cloudflare(facts, environment)] : [],
            MaxBodySize = NginxSettings.MaxBodySize.TryIn(environment, out var size) ? size : null,
            Stickiness = addresses.Kind == "web" && NginxSettings.Sticky.TryIn(environment, out var sticky)
                ? sticky == "cookie" ? Stickiness.Cookie : Stickiness.Address
                : Stickiness.None,
            FollowsOwnLinksOnly = facts.Host.AppUser is not null,
            IsHttpsOnly = NginxSettings.HttpsOnly.In(environment),
            BlocksGit = !NginxSettings.AllowGitFolders.IsSetIn(environment),
        };
    }

    /// <summary>The names that the app wants and no other has (D28).</summary>
    public static ImmutableArray<string> ServerNames(DeployFacts facts, EnvMap environment)
    {
        ImmutableArray<string> names = [.. NginxSettings.ServerName.In(environment).Distinct(StringComparer.OrdinalIgnoreCase)];
        var taken = names.SelectMany(HostPattern.Forms).FirstOrDefault(facts.TakenServerNames.ContainsKey);
        return taken is null ? names : throw new UserError(
            $"The host name '{taken}' belongs to {facts.TakenServerNames[taken]} already; change {NginxSettings.ServerName.Key} of one of them.");
    }

    /// <summary>True when no process of the app's answers, because somebody wants none.</summary>
    public static bool IsClosed(DeployFacts facts, Addresses addresses) => facts.Scaling.Count(addresses.Kind) == 0;

    private static Listening Listening(DeployFacts facts, EnvMap environment)
    {
        var wanted = new List<Setting<string>> { NginxSettings.Ipv4Address };
        if (NginxSettings.Ipv6Address.IsSetIn(environment))
            wanted.Insert(0, NginxSettings.Ipv6Address);
        foreach (var setting in wanted.Where(setting => facts.ForeignAddresses.Contains(setting.In(environment))))
            throw new UserError($"{setting.Key} is {setting.In(environment)}, and this machine has no such address; 'ip address' lists those it has.");
        return new(
            [.. wanted.Select(setting => setting.In(environment))],
            facts.Host.HttpPort, facts.Host.HttpsPort,
            !facts.Host.NginxHasHttp2 ? Http2.None : facts.Host.NginxVersion >= new Version(1, 25, 1) ? Http2.Directive : Http2.OfListen);
    }

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
            var directives = Expanded(NginxDirective.Parse(text, file), environment);
            RefuseOurVariables(directives);
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

    /// <summary>A variable of nginx's belongs to all sites: who made one of ours would change what every app is told.</summary>
    private static void RefuseOurVariables(ImmutableArray<NginxDirective> directives)
    {
        foreach (var directive in directives)
        {
            var isOurs = directive.Arguments.Any(argument => OurGroup().IsMatch(argument.Value))
                || (directive.Name is "set" or "auth_request_set" && directive.Arguments is [var variable, ..] && OurVariable().IsMatch(variable.Value));
            if (isOurs)
                throw new UserError($"'{directive.Name}' makes a variable whose name begins with '{RequestVariables.Prefix}', and those are piku's; choose another name.");
            RefuseOurVariables(directive.Block ?? []);
        }
    }

    private static IEnumerable<string> Cloudflare(DeployFacts facts, EnvMap environment)
    {
        var networks = facts.CloudflareNetworks
            ?? throw new UserError($"{NginxSettings.CloudflareAcl.Key} is on, and Cloudflare's networks cannot be fetched ({facts.CloudflareProblem}); try again, or set it to false.");
        var withIpv6 = !AppSettings.DisableIpv6.In(environment);
        return networks.Where(network => withIpv6 || !network.Contains(':', StringComparison.Ordinal));
    }

    [GeneratedRegex(@"\(\?P?[<']" + RequestVariables.Prefix, RegexOptions.IgnoreCase)]
    private static partial Regex OurGroup();

    [GeneratedRegex(@"^\$" + RequestVariables.Prefix, RegexOptions.IgnoreCase)]
    private static partial Regex OurVariable();
}
