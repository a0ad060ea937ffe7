using System.Collections.Immutable;
using Piku.Core.Formats;

namespace Piku.Core.Nginx;

/// <summary>How nginx is told to speak http2, which changed with nginx 1.25.1.</summary>
public enum Http2
{
    None,
    OfListen,
    Directive,
}

/// <summary>Where a site listens.</summary>
/// <param name="Addresses">IPv6 ones in brackets.</param>
/// <param name="HttpPort">For http.</param>
/// <param name="HttpsPort">For https.</param>
/// <param name="Http2">How http2 is switched on.</param>
public sealed record Listening(ImmutableArray<string> Addresses, int HttpPort, int HttpsPort, Http2 Http2)
{
    /// <summary>The port and parameters of <c>listen</c> for https, as the app's NGINX_SSL says them.</summary>
    public string HttpsParameters => $"{HttpsPort} ssl{(Http2 is Http2.OfListen ? " http2" : "")}";

    internal IEnumerable<NginxDirective> Http => Addresses.Select(address => Directives.Plain("listen", $"{address}:{HttpPort}"));

    internal IEnumerable<NginxDirective> Https =>
    [
        .. Addresses.Select(address => Directives.Plain("listen", $"{address}:{HttpsParameters}".Split(' '))),
        .. Http2 is Http2.Directive ? [Directives.Plain("http2", "on")] : Array.Empty<NginxDirective>(),
    ];

    /// <summary>Where a request over http is sent: to the site's first name, or if that is a pattern, to the name that was asked for.</summary>
    internal string RedirectTarget(string serverName) =>
        $"https://{(serverName == "_" || serverName[0] == '.' || serverName.Contains('*', StringComparison.Ordinal) ? "$host" : "$server_name")}"
        + $"{(HttpsPort == 443 ? "" : $":{HttpsPort}")}$request_uri";
}
