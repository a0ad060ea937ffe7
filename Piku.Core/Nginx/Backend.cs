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

    /// <param name="visitor">An expression by which a visitor always gets the same one of them; null for whichever.</param>
    internal NginxDirective Upstream(string name, string? visitor) => new("upstream", [NginxArgument.Text(name)],
    [
        .. visitor is null ? Array.Empty<NginxDirective>() : [Directives.Using("hash", visitor, "consistent")],
        .. Servers.Select(server => Directives.Plain("server", server)),
    ]);

    /// <summary>Hands a request to the app, with all that it is to be told.</summary>
    internal IEnumerable<NginxDirective> Pass(string upstream, Reach reach) => Protocol is BackendProtocol.Http
        ?
        [
            Directives.Plain("proxy_pass", $"http://{(Servers is [var only] ? only : upstream)}"),
            Directives.Plain("proxy_http_version", "1.1"),
            .. reach.Headers,
        ]
        : [Directives.Plain("uwsgi_pass", upstream), .. reach.Parameters];
}

/// <summary>How nginx talks to an app.</summary>
public enum BackendProtocol
{
    Http,
    Uwsgi,
}
