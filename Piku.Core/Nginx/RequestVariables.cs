using System.Collections.Immutable;
using Piku.Core.Formats;

namespace Piku.Core.Nginx;

/// <summary>
/// What is true of a request, as variables that the configuration of nginx defines once, around all sites: with which scheme,
/// for which host and from whom it came, and what it asks for. No word of a client's goes into one of them, unless it came from a
/// proxy that is trusted.
/// </summary>
public static class RequestVariables
{
    /// <summary>What all of them begin with; no app may define one.</summary>
    public const string Prefix = "piku_";

    /// <summary><c>https</c> under TLS, else <c>http</c>; from a trusted proxy, what that says.</summary>
    public const string Scheme = "$piku_scheme";

    /// <summary><c>on</c> or nothing.</summary>
    public const string Https = "$piku_https";

    /// <summary>The host as the client named it, with its port if it gave one. A host in the request line comes before the header (RFC 9112, section 3.2.2).</summary>
    public const string Host = "$piku_host";

    /// <summary>The port that the client sees.</summary>
    public const string Port = "$piku_port";

    /// <summary>The protocol that the client wants to change to, or nothing. Not h2c, in which nginx could not read the requests that follow.</summary>
    public const string Upgrade = "$piku_upgrade";

    /// <summary><c>upgrade</c> when there is one, else <c>close</c>, as nginx says of itself.</summary>
    public const string Connection = "$piku_connection";

    /// <summary>Something when the request should have come over https; not that of an authority that asks for its challenge.</summary>
    public const string Insecure = "$piku_insecure";

    /// <summary>The script in the request's path, for PHP.</summary>
    public const string Script = "$piku_script";

    /// <summary>The visitor's cookie of <c>NGINX_STICKY</c>, or a new one.</summary>
    public const string StickyCookie = "$piku_sticky";

    /// <summary>The header that gives a visitor that cookie; nothing when they have one, and with what is kept for others.</summary>
    public const string SetStickyCookie = "$piku_set_sticky";

    /// <summary>The directives that define them, for the block <c>http</c>.</summary>
    /// <param name="trustedProxies">Addresses and networks whose word counts.</param>
    public static ImmutableArray<NginxDirective> Define(ImmutableArray<string> trustedProxies) =>
    [
        .. trustedProxies.IsEmpty ? Own : Of(trustedProxies),
        Map(Scheme, Https, ("https", "on")),
        Map("$http_host", Host, ("default", "$host"), ("~(?<piku_host_port>:[0-9]+)$", "$host$piku_host_port")),
        Map("$http_connection|$http_upgrade", Upgrade,
            (@"~*\|.*\bh2c\b", ""), (@"~*^([^|]*[ ,])?upgrade([ ,][^|]*)?\|.", "$http_upgrade")),
        Map(Upgrade, Connection, ("default", "upgrade"), ("", "close")),
        Map($"{Scheme}:$uri", Insecure, (@"~^http:(?!/\.well-known/acme-challenge/)", "1")),
        Map("$uri", Script, (@"~^(?<piku_script_path>.*?\.php)(/|$)", "$piku_script_path"), ("~/$", "${uri}index.php")),
        Map("$cookie_piku_sticky", StickyCookie, ("default", "$cookie_piku_sticky"), ("", "$request_id")),
        Map("$cookie_piku_sticky:$upstream_cache_status:$upstream_addr", SetStickyCookie,
            ("~^::.", "piku_sticky=$request_id; Path=/; HttpOnly; SameSite=Lax")),
    ];

    private static NginxDirective[] Own => [Map("$scheme", Scheme, ("default", "$scheme")), Map("$server_port", Port, ("default", "$server_port"))];

    /// <summary>nginx's realip module makes the address that of the proxy's client; the last word of a header is that of the proxy itself.</summary>
    private static NginxDirective[] Of(ImmutableArray<string> proxies) =>
    [
        .. proxies.Select(network => Directives.Plain("set_real_ip_from", network)),
        Directives.Plain("real_ip_header", "X-Forwarded-For"),
        Directives.Plain("real_ip_recursive", "on"),
        Networks("$realip_remote_addr", "$piku_trusted", proxies),
        Map("$piku_trusted:$http_x_forwarded_proto", Scheme,
            ("default", "$scheme"), ("~*^1:(.*,)? *https *$", "https"), ("~*^1:(.*,)? *http *$", "http")),
        Map($"$piku_trusted:$http_x_forwarded_port:{Scheme}", Port,
            ("default", "$server_port"), ("~^1:(?<piku_told_port>[0-9]+):", "$piku_told_port"), ("1::https", "443"), ("1::http", "80")),
    ];

    /// <summary>1 for these addresses and networks, else 0.</summary>
    internal static NginxDirective Networks(string address, string variable, IEnumerable<string> networks) =>
        new("geo", [NginxArgument.Expression(address), NginxArgument.Expression(variable)],
            [Directives.Plain("default", "0"), .. networks.Distinct(StringComparer.Ordinal).Select(network => Directives.Plain(network, "1"))]);

    /// <summary>Texts or patterns (with <c>~</c>), and what they are mapped to. What is none of them is mapped to nothing.</summary>
    internal static NginxDirective Map(string expression, string variable, params (string Of, string To)[] entries) =>
        new("map", [NginxArgument.Expression(expression), NginxArgument.Expression(variable)],
            [.. entries.Select(entry => Directives.Using(entry.Of, entry.To))]);
}
