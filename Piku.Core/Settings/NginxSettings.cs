using System.Collections.Immutable;

namespace Piku.Core.Settings;

/// <summary>What becomes the app's nginx site.</summary>
public static class NginxSettings
{
    public static readonly Setting<ImmutableArray<string>> ServerName = new("NGINX_SERVER_NAME", ValueFormats.HostNames,
        "The host names that the app answers to; without any it has no site. `*.example.com` is every name below, `.example.com` the name too, `_` every name that no other app has, and `~` begins a regular expression.");

    public static readonly Setting<bool> HttpsOnly = new("NGINX_HTTPS_ONLY", ValueFormats.Boolean,
        "Redirect http to https, under the name that was asked for.")
    { Default = "false" };

    public static readonly Setting<ImmutableArray<StaticMapping>> StaticPaths = new("NGINX_STATIC_PATHS", ValueFormats.StaticMappings,
        "Folders that nginx serves itself. A path is absolute or relative to the app, and must exist when the app is deployed unless it is in the app's data; names that begin with a dot, ENV and Procfile are never served.");

    public static readonly Setting<string> CatchAll = new("NGINX_CATCH_ALL", ValueFormats.UrlPath,
        "The file that answers for every path without a file: of a static folder, for routing in the browser; of a php app, its front controller.");

    public static readonly Setting<bool> CloudflareAcl = new("NGINX_CLOUDFLARE_ACL", ValueFormats.Boolean,
        "Let only Cloudflare, this machine and the one who deploys reach the site; the visitor's address is the one that Cloudflare gives.")
    { Default = "false" };

    public static readonly Setting<string> MaxBodySize = new("NGINX_CLIENT_MAX_BODY_SIZE", ValueFormats.Size,
        "The largest request body, such as an upload, that nginx passes to the app; without it nginx's own limit of 1m holds, beyond which it answers 413.");

    public static readonly Setting<string> Sticky = new("NGINX_STICKY", ValueFormats.Stickiness,
        "Send a visitor to the same one of several web processes each time, by their address or by a cookie, as socket.io needs it.");

    public static readonly Setting<string> IncludeFile = new("NGINX_INCLUDE_FILE", ValueFormats.RelativeFile,
        "A file in the app with more nginx directives for its `server` block; `$NAME` stands for a variable of the app, or else of nginx.");

    public static readonly Setting<string> AllowGitFolders = new("NGINX_ALLOW_GIT_FOLDERS", ValueFormats.Text,
        "Set to anything, leaves requests with `/.git` to the app. Static folders never serve them.");

    public static readonly Setting<string> Ipv4Address = new("NGINX_IPV4_ADDRESS", ValueFormats.Ipv4,
        "The IPv4 address of this machine at which the site answers.")
    { Default = "0.0.0.0" };

    public static readonly Setting<string> Ipv6Address = new("NGINX_IPV6_ADDRESS", ValueFormats.Ipv6,
        "The IPv6 address of this machine at which the site answers.")
    { Default = "[::]" };

    public static readonly Setting<ImmutableArray<string>> CachePrefixes = new("NGINX_CACHE_PREFIXES", ValueFormats.UrlPrefixes,
        "URL prefixes whose responses nginx caches, unless the app says `private`, `no-store` or `no-cache`, sets a cookie, or the request was authorized.");

    public static readonly Setting<int> CacheSize = new("NGINX_CACHE_SIZE", ValueFormats.Number(1, 100000),
        "Most gigabytes of kept answers.")
    { Default = "1" };

    public static readonly Setting<int> CacheTime = Seconds("NGINX_CACHE_TIME", 3600, "Seconds that an answer with status 200 or 304 is kept.");

    public static readonly Setting<int> CacheRedirects = Seconds("NGINX_CACHE_REDIRECTS", 3600, "Seconds that a redirect (301, 307) is kept.");

    public static readonly Setting<int> CacheAny = Seconds("NGINX_CACHE_ANY", 3600, "Seconds that any other answer but an error is kept; an error is not, unless the app says so.");

    public static readonly Setting<int> CacheControl = Seconds("NGINX_CACHE_CONTROL", 3600, "Seconds that browsers are told to keep a kept answer.");

    public static readonly Setting<int> CacheExpiry = Seconds("NGINX_CACHE_EXPIRY", 86400, "Seconds after which an answer that nobody asked for is removed.");

    public static readonly Setting<string> CachePath = new("NGINX_CACHE_PATH", ValueFormats.Folder,
        "An existing folder for the kept answers, in place of the app's own in `cache/`.");

    public static readonly Setting[] All =
    [
        ServerName, HttpsOnly, StaticPaths, CatchAll, CloudflareAcl, MaxBodySize, Sticky, IncludeFile, AllowGitFolders, Ipv4Address, Ipv6Address,
        CachePrefixes, CacheSize, CacheTime, CacheRedirects, CacheAny, CacheControl, CacheExpiry, CachePath,
    ];

    private static Setting<int> Seconds(string key, int standard, string summary) =>
        new(key, ValueFormats.Number(0, int.MaxValue), summary) { Default = $"{standard}" };
}
