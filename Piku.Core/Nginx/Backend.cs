using System.Collections.Immutable;
using Piku.Core.Formats;

namespace Piku.Core.Nginx;

/// <summary>The app's processes behind a site.</summary>
/// <param name="Servers">As nginx's <c>server</c> takes them: <c>unix:///path</c> or <c>address:port</c>.</param>
/// <param name="Protocol">What they speak.</param>
public sealed record Backend(ImmutableArray<string> Servers, BackendProtocol Protocol)
{
    /// <summary>What directives of this protocol begin with: <c>proxy_pass</c>, <c>uwsgi_cache</c>.</summary>
    internal string Prefix => Protocol is BackendProtocol.Uwsgi ? "uwsgi_" : "proxy_";

    internal NginxDirective Upstream(string name) =>
        NginxDirective.Of("upstream", [name], Servers.Select(server => Directives.Plain("server", server)));

    /// <summary>Hands a request to the app: all that speaks uwsgi needs to be told the request's variables as well.</summary>
    internal IEnumerable<NginxDirective> Pass(string upstream, bool isBehindCloudflare) => Protocol is BackendProtocol.Http
        ? [Directives.Plain("proxy_pass", $"http://{(Servers is [var only] ? only : upstream)}")]
        :
        [
            Directives.Plain("uwsgi_pass", upstream),
            Directives.Using("uwsgi_param", "QUERY_STRING", "$query_string"),
            Directives.Using("uwsgi_param", "REQUEST_METHOD", "$request_method"),
            Directives.Using("uwsgi_param", "CONTENT_TYPE", "$content_type"),
            Directives.Using("uwsgi_param", "CONTENT_LENGTH", "$content_length"),
            Directives.Using("uwsgi_param", "REQUEST_URI", "$request_uri"),
            Directives.Using("uwsgi_param", "PATH_INFO", "$document_uri"),
            Directives.Using("uwsgi_param", "DOCUMENT_ROOT", "$document_root"),
            Directives.Using("uwsgi_param", "SERVER_PROTOCOL", "$server_protocol"),
            Directives.Using("uwsgi_param", "X_FORWARDED_FOR", "$proxy_add_x_forwarded_for"),
            Directives.Using("uwsgi_param", "REMOTE_ADDR", isBehindCloudflare ? "$http_cf_connecting_ip" : "$remote_addr"),
            Directives.Using("uwsgi_param", "REMOTE_PORT", "$remote_port"),
            Directives.Using("uwsgi_param", "SERVER_ADDR", "$server_addr"),
            Directives.Using("uwsgi_param", "SERVER_PORT", "$server_port"),
            Directives.Using("uwsgi_param", "SERVER_NAME", "$server_name"),
        ];
}

/// <summary>How nginx talks to an app.</summary>
public enum BackendProtocol
{
    Http,
    Uwsgi,
}
