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

    /// <summary>Addresses and networks that may reach the app; null for everyone.</summary>
    public ImmutableArray<string>? AllowedNetworks { get; init; }

    public bool IsHttpsOnly { get; init; }

    /// <summary>
    /// Links in static folders are followed to what has the same owner, and no further: where apps have users of their own,
    /// nginx can read what they cannot (nginx docs, disable_symlinks).
    /// </summary>
    public bool FollowsOwnLinksOnly { get; init; }

    /// <summary>Whether requests with <c>/.git</c> are refused.</summary>
    public bool BlocksGit { get; init; } = true;

    private bool IsBehindCloudflare => AllowedNetworks is not null;

    /// <summary>The whole file.</summary>
    public ImmutableArray<NginxDirective> ToDirectives() =>
    [
        .. Cache is null ? Array.Empty<NginxDirective>() : [Cache.Zone(Name, Backend)],
        Backend.Upstream(Name),
        .. IsHttpsOnly
            ? [Server([.. Listening.Http, Names, Acme, Redirect]), Server(Serving)]
            : (NginxDirective[])[Server([.. Listening.Http, Acme, .. Serving])],
    ];

    private NginxDirective Names => Directives.Plain("server_name", [.. ServerNames.SelectMany(WithCatchAll)]);

    private NginxDirective Acme => Directives.Location("^~", "/.well-known/acme-challenge",
        [Directives.Plain("allow", "all"), Directives.Plain("root", AcmeFolder)]);

    private NginxDirective Redirect => Directives.Location("/", [Directives.Using("return", "301", Listening.RedirectTarget(ServerNames[0]))]);

    private IEnumerable<NginxDirective> Serving =>
    [
        .. Listening.Https,
        Directives.Plain("ssl_certificate", Certificate),
        Directives.Plain("ssl_certificate_key", CertificateKey),
        Names,
        Directives.Plain("gzip", "on"),
        Directives.Plain("gzip_proxied", "any"),
        Directives.Plain("gzip_types", "text/plain", "text/xml", "text/css", "text/javascript", "text/js", "application/x-javascript",
            "application/javascript", "application/json", "application/xml+rss", "application/atom+xml", "image/svg+xml"),
        Directives.Plain("gzip_comp_level", "7"),
        Directives.Plain("gzip_min_length", "2048"),
        Directives.Plain("gzip_vary", "on"),
        Directives.Plain("gzip_disable", @"MSIE [1-6]\.(?!.*SV1)"),
        Directives.Plain("add_header", "X-Deployed-By", "Piku"),
        .. FollowsOwnLinksOnly ? [Directives.Plain("disable_symlinks", "if_not_owner")] : Array.Empty<NginxDirective>(),
        .. Included,
        .. StaticFolders.SelectMany(folder => folder.Locations(CatchAll)),
        .. Cache is null ? Array.Empty<NginxDirective>() : [Cache.Location(Name, Backend, IsBehindCloudflare)],
        .. BlocksGit ? [Directives.Location("~", @"/\.git", [Directives.Plain("deny", "all")])] : Array.Empty<NginxDirective>(),
        .. IsServedByApp ? [App] : Array.Empty<NginxDirective>(),
    ];

    private NginxDirective App => Directives.Location("/",
    [
        .. Backend.Pass(Name, IsBehindCloudflare),
        Directives.Plain("proxy_http_version", "1.1"),
        Directives.Using("proxy_set_header", "Upgrade", "$http_upgrade"),
        Directives.Plain("proxy_set_header", "Connection", "upgrade"),
        Directives.Using("proxy_set_header", "Host", "$host"),
        Directives.Using("proxy_set_header", "X-Forwarded-Proto", "$scheme"),
        Directives.Using("proxy_set_header", "X-Forwarded-For", "$proxy_add_x_forwarded_for"),
        Directives.Using("proxy_set_header", "X-Remote-Address", "$remote_addr"),
        Directives.Using("proxy_set_header", "X-Forwarded-Port", "$server_port"),
        Directives.Using("proxy_set_header", "X-Request-Start", "$msec"),
        .. AllowedNetworks is not { } networks ? Array.Empty<NginxDirective>()
            : [.. networks.Select(network => Directives.Plain("allow", network)), Directives.Plain("deny", "all")],
    ]);

    /// <summary>An app named <c>_</c> wants every host; a pattern says so, and any other app's name comes before it.</summary>
    private static IEnumerable<string> WithCatchAll(string name) => name == "_" ? [name, "~^"] : [name];

    private static NginxDirective Server(IEnumerable<NginxDirective> block) => NginxDirective.Of("server", [], block);
}
