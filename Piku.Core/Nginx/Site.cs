using System.Collections.Immutable;
using Piku.Core.Formats;

namespace Piku.Core.Nginx;

/// <summary>An app's site: what nginx is to serve under the app's host names.</summary>
public sealed record Site
{
    /// <summary>The name of the app, and so of the upstream and the cache.</summary>
    public required string Name { get; init; }

    public required ImmutableArray<string> ServerNames { get; init; }

    public required Listening Listening { get; init; }

    /// <summary>The app's processes, or for a static site where they would be.</summary>
    public required Backend Backend { get; init; }

    /// <summary>False for a site of files alone.</summary>
    public bool IsServedByApp { get; init; } = true;

    public required string Certificate { get; init; }

    public required string CertificateKey { get; init; }

    /// <summary>Where answers to ACME challenges lie (RFC 8555, section 8.3).</summary>
    public required string AcmeFolder { get; init; }

    public ImmutableArray<StaticFolder> StaticFolders { get; init; } = [];

    /// <summary>The file of a static folder that answers where there is none, or null.</summary>
    public string? CatchAll { get; init; }

    public AnswerCache? Cache { get; init; }

    /// <summary>The app's own directives for the server.</summary>
    public ImmutableArray<NginxDirective> Included { get; init; } = [];

    /// <summary>Addresses and networks that may reach the site; null for everyone.</summary>
    public ImmutableArray<string>? AllowedNetworks { get; init; }

    /// <summary>Of these, the ones that say in CF-Connecting-IP for whom they ask.</summary>
    public ImmutableArray<string> VouchingNetworks { get; init; } = [];

    /// <summary>The largest body of a request, as nginx writes sizes; null for nginx's own limit.</summary>
    public string? MaxBodySize { get; init; }

    /// <summary>By what a visitor always gets the same process.</summary>
    public Stickiness Stickiness { get; init; }

    /// <summary>The app has nobody who answers: what would be its to answer is answered 503.</summary>
    public bool IsClosed { get; init; }

    /// <summary>A php app with a script that answers for every path without one.</summary>
    public bool HasFrontController { get; init; }

    /// <summary>Host names that an authority can ask for a challenge by: a wildcard's it would ask for by DNS (RFC 8555, section 7.1.3).</summary>
    public ImmutableArray<string> ProvableNames => [.. ServerNames.SelectMany(HostPattern.Forms).Where(HostPattern.IsName)];

    /// <summary>What a certificate of the site can be for; one name that is nobody's when it can be for none (RFC 2606).</summary>
    public ImmutableArray<string> CertificateNames =>
        [.. ServerNames.SelectMany(HostPattern.InCertificate).DefaultIfEmpty("piku.invalid").Distinct(StringComparer.OrdinalIgnoreCase)];

    public bool IsHttpsOnly { get; init; }

    /// <summary>
    /// Links in static folders are followed to what has the same owner, and no further: where apps have users of their own,
    /// nginx can read what they cannot (nginx docs, disable_symlinks).
    /// </summary>
    public bool FollowsOwnLinksOnly { get; init; }

    /// <summary>Whether requests with <c>/.git</c> are refused.</summary>
    public bool BlocksGit { get; init; } = true;

    /// <summary>Where an authority looks for its challenge (RFC 8555, section 8.3).</summary>
    internal const string ChallengePath = "/.well-known/acme-challenge";

    /// <summary>The whole file.</summary>
    public ImmutableArray<NginxDirective> ToDirectives() =>
    [
        .. IsCached ? [Cache!.Zone(Name, Backend), Cache.Word(Variable("kept"))] : Array.Empty<NginxDirective>(),
        .. VouchingNetworks.IsEmpty ? Array.Empty<NginxDirective>() : Visitor,
        Backend.Upstream(Name, Stickiness switch { Stickiness.Address => Client, Stickiness.Cookie => RequestVariables.StickyCookie, _ => null }),
        NginxDirective.Of("server", [], [.. Listening.Http, Acme, .. Serving]),
    ];

    private bool IsCached => Cache is not null && !IsClosed;

    private string Client => VouchingNetworks.IsEmpty ? "$remote_addr" : Variable("client");

    /// <summary>The name of a site with a pattern is no host's.</summary>
    private Reach Reach => new(Client, HostPattern.IsName(ServerNames[0]) ? "$server_name" : "$host", !VouchingNetworks.IsEmpty, HasFrontController);

    /// <summary>Who asks through Cloudflare; of anybody else it is their own address, whatever they say.</summary>
    private NginxDirective[] Visitor =>
    [
        RequestVariables.Networks("$remote_addr", Variable("vouches"), VouchingNetworks),
        RequestVariables.Map($"{Variable("vouches")}:$http_cf_connecting_ip", Variable("client"), ("default", "$remote_addr"), ("~^1:[0-9a-fA-F.:]+$", "$http_cf_connecting_ip")),
    ];

    private NginxDirective Names => new("server_name", [.. ServerNames.SelectMany(WithAny).Select(NginxArgument.Expression)]);

    private NginxDirective Acme => Directives.Location("^~", ChallengePath, [Directives.Plain("allow", "all"), Directives.Plain("root", AcmeFolder)]);

    private IEnumerable<NginxDirective> Guards =>
    [
        .. Listening.Guard,
        .. IsHttpsOnly
            ? [new NginxDirective("if", [NginxArgument.Expression($"({RequestVariables.Insecure})")], [Directives.Using("return", "301", Listening.RedirectTarget)])]
            : Array.Empty<NginxDirective>(),
        .. AllowedNetworks is not { } networks ? Array.Empty<NginxDirective>()
            : [.. networks.Select(network => Directives.Plain("allow", network)), Directives.Plain("deny", "all")],
    ];

    /// <summary>For the whole site: a location that adds one of its own would have none of these (nginx, add_header).</summary>
    private IEnumerable<NginxDirective> AnswerHeaders =>
    [
        Directives.Plain("add_header", "X-Deployed-By", "Piku"),
        .. IsCached
            ? [Directives.Using("add_header", "Cache-Control", Variable("kept"), "always"), Directives.Using("add_header", "X-Cache", "$upstream_cache_status")]
            : Array.Empty<NginxDirective>(),
        .. Stickiness is Stickiness.Cookie
            ? [Directives.Using("add_header", "Set-Cookie", RequestVariables.SetStickyCookie, "always")]
            : Array.Empty<NginxDirective>(),
    ];

    private IEnumerable<NginxDirective> Serving =>
    [
        .. Listening.Https,
        Directives.Plain("ssl_certificate", Certificate),
        Directives.Plain("ssl_certificate_key", CertificateKey),
        Names,
        .. Guards,
        Directives.Plain("gzip", "on"),
        Directives.Plain("gzip_proxied", "any"),
        Directives.Plain("gzip_types", "text/plain", "text/xml", "text/css", "text/javascript", "text/js", "application/x-javascript",
            "application/javascript", "application/json", "application/xml+rss", "application/atom+xml", "image/svg+xml"),
        Directives.Plain("gzip_comp_level", "7"),
        Directives.Plain("gzip_min_length", "2048"),
        Directives.Plain("gzip_vary", "on"),
        Directives.Plain("gzip_disable", @"MSIE [1-6]\.(?!.*SV1)"),
        .. AnswerHeaders,
        .. MaxBodySize is { } size ? [Directives.Plain("client_max_body_size", size)] : Array.Empty<NginxDirective>(),
        .. FollowsOwnLinksOnly ? [Directives.Plain("disable_symlinks", "if_not_owner")] : Array.Empty<NginxDirective>(),
        .. IncludedLocations.Reached(Included, Reach),
        // After the app's own, of which the first for a status counts.
        .. StaticFolders.Any(folder => folder.Base.Length == 0) ? [Directives.Plain("error_page", "404", "/404.html")] : Array.Empty<NginxDirective>(),
        .. IsClosed && !IsServedByApp ? [Directives.Location("/", [ClosedSite.Unavailable])] : StaticFolders.SelectMany(folder => folder.Locations(CatchAll)),
        .. IsCached ? [Cache!.Location(Name, Backend, Pass)] : Array.Empty<NginxDirective>(),
        .. BlocksGit ? [Directives.Location("~", @"/\.git", [Directives.Plain("deny", "all")])] : Array.Empty<NginxDirective>(),
        .. IsServedByApp ? [Directives.Location("/", IsClosed ? [ClosedSite.Unavailable] : Pass)] : Array.Empty<NginxDirective>(),
    ];

    private IEnumerable<NginxDirective> Pass => Backend.Pass(Name, Reach);

    private static IEnumerable<string> WithAny(string name) => name == HostPattern.Any ? [name, HostPattern.AnyPattern] : [name];

    /// <summary>A variable of this site's alone. nginx knows letters, digits and <c>_</c>, and no capitals (ngx_http_add_variable).</summary>
    private string Variable(string purpose) =>
        $"${RequestVariables.Prefix}{purpose}_{string.Concat(Name.Select(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) ? $"{c}" : $"_{(int)c:x2}"))}";
}

/// <summary>By what a visitor always gets the same one of several processes.</summary>
public enum Stickiness
{
    None,
    Address,
    Cookie,
}
