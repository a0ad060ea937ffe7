using System.Collections.Immutable;
using Piku.Core.Formats;

namespace Piku.Core.Nginx;

/// <summary>
/// How a request reaches the app: what it is told of the request beside what the client sent. One description, written in the
/// words of each protocol, for every place from which nginx passes requests on.
/// </summary>
/// <param name="Client">An expression for the address of the client.</param>
/// <param name="ServerName">An expression for the name of the site.</param>
/// <param name="IsBehindCloudflare">Apps made for it look for the client in its header.</param>
/// <param name="TellsScript">PHP is told which script it runs, because the one that answers for others would be it always.</param>
internal sealed record Reach(string Client, string ServerName, bool IsBehindCloudflare, bool TellsScript)
{
    private const string Cloudflares = "CF-Connecting-IP";

    /// <summary>
    /// Headers by which proxies tell of a request, and which servers and frameworks believe. None reaches the app as a client
    /// has sent it; those that are not <see cref="Told"/> do not reach it at all.
    /// </summary>
    private static readonly string[] Withheld =
    [
        "Forwarded", "Proxy", "Front-End-Https", "Client-IP", "X-Client-IP", "X-Cluster-Client-IP", "True-Client-IP", "Fastly-Client-IP",
        Cloudflares, "CF-Connecting-IPv6", "CF-Pseudo-IPv4", "CF-Visitor", "X-Forwarded", "Forwarded-For", "X-Forwarded-By",
        "X-Forwarded-Client-Cert", "X-Forwarded-Path", "X-Forwarded-Prefix", "X-Forwarded-Protocol", "X-Forwarded-Scheme",
        "X-Forwarded-Server", "X-Forwarded-Ssl", "X-Forwarded-Uri", "X-Forwarded-Method", "X-Forwarded-User", "X-Forwarded-Email",
        "X-Forwarded-Groups", "X-Forwarded-Preferred-Username", "X-Forwarded-Access-Token", "X-Host", "X-HTTPS", "X-Original-Forwarded-For",
        "X-Original-Host", "X-Original-Url", "X-Original-Proto", "X-Original-Remote-Addr", "X-ProxyUser-Ip", "X-Remote-Addr", "X-Remote-IP",
        "X-Rewrite-Url", "X-Scheme", "X-Url-Scheme", "X-Envoy-External-Address", "X-ARR-SSL", "X-Script-Name",
    ];

    private (string Name, string Value)[] Told =>
    [
        ("Host", RequestVariables.Host),
        ("X-Forwarded-Proto", RequestVariables.Scheme),
        ("X-Forwarded-For", Client),
        ("X-Forwarded-Host", RequestVariables.Host),
        ("X-Forwarded-Port", RequestVariables.Port),
        ("X-Real-IP", Client),
        ("X-Remote-Address", Client),
        ("X-Request-Start", "$msec"),
        .. IsBehindCloudflare ? [(Cloudflares, Client)] : Array.Empty<(string, string)>(),
    ];

    private IEnumerable<string> NotTold => Withheld.Except(Told.Select(header => header.Name));

    /// <summary>For <c>proxy_pass</c>.</summary>
    public IEnumerable<NginxDirective> Headers =>
    [
        Directives.Using("proxy_set_header", "Upgrade", RequestVariables.Upgrade),
        Directives.Using("proxy_set_header", "Connection", RequestVariables.Connection),
        .. Told.Select(header => Directives.Using("proxy_set_header", header.Name, header.Value)),
        .. NotTold.Select(header => Directives.Plain("proxy_set_header", header, "")),
    ];

    /// <summary>The same for <c>uwsgi_pass</c> and <c>fastcgi_pass</c>, where headers are parameters. An empty one would still be there.</summary>
    /// <param name="directive"><c>uwsgi_param</c> or <c>fastcgi_param</c>.</param>
    public IEnumerable<NginxDirective> HeaderParameters(string directive) =>
    [
        .. Told.Select(header => Directives.Using(directive, ParameterOf(header.Name), header.Value)),
        .. NotTold.Select(header => Directives.Plain(directive, ParameterOf(header), "", "if_not_empty")),
    ];

    /// <summary>All parameters of <c>uwsgi_pass</c>.</summary>
    public IEnumerable<NginxDirective> Parameters =>
    [
        .. ImmutableArray.Create<(string Name, string Value)>(
            ("QUERY_STRING", "$query_string"),
            ("REQUEST_METHOD", "$request_method"),
            ("CONTENT_TYPE", "$content_type"),
            ("CONTENT_LENGTH", "$content_length"),
            ("REQUEST_URI", "$request_uri"),
            ("PATH_INFO", "$document_uri"),
            ("DOCUMENT_ROOT", "$document_root"),
            ("SERVER_PROTOCOL", "$server_protocol"),
            ("REQUEST_SCHEME", RequestVariables.Scheme),
            ("X_FORWARDED_FOR", Client),
            ("REMOTE_ADDR", Client),
            ("REMOTE_PORT", "$remote_port"),
            ("SERVER_ADDR", "$server_addr"),
            ("SERVER_PORT", RequestVariables.Port),
            ("SERVER_NAME", ServerName)).Select(parameter => Directives.Using("uwsgi_param", parameter.Name, parameter.Value)),
        Directives.Using("uwsgi_param", "HTTPS", RequestVariables.Https, "if_not_empty"),
        .. TellsScript ? [Directives.Using("uwsgi_param", "SCRIPT_NAME", RequestVariables.Script)] : Array.Empty<NginxDirective>(),
        .. HeaderParameters("uwsgi_param"),
    ];

    /// <summary>As CGI names it (RFC 3875, section 4.1.18).</summary>
    private static string ParameterOf(string header) => $"HTTP_{header.ToUpperInvariant().Replace('-', '_')}";
}
