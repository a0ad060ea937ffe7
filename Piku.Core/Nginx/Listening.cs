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

/// <summary>
/// Where a site answers. nginx listens at all addresses for every site, and the site refuses what comes to another than
/// its own: a <c>listen</c> for one address would take that address from all sites that have none (nginx, "How nginx
/// processes a request").
/// </summary>
/// <param name="Addresses">IPv6 ones in brackets; one that stands for all, or one of the machine's.</param>
/// <param name="HttpPort">For http.</param>
/// <param name="HttpsPort">For https.</param>
/// <param name="Http2">How http2 is switched on.</param>
public sealed record Listening(ImmutableArray<string> Addresses, int HttpPort, int HttpsPort, Http2 Http2)
{
    internal const string GuardedVariable = "($server_addr";

    private const string AnyIpv4 = "0.0.0.0", AnyIpv6 = "[::]";

    /// <summary>The port and parameters of <c>listen</c> for https, as the app's NGINX_SSL says them.</summary>
    public string HttpsParameters => $"{HttpsPort} ssl{(Http2 is Http2.OfListen ? " http2" : "")}";

    /// <summary>True for an address that stands for all of its family.</summary>
    public static bool IsAny(string address) => address is AnyIpv4 or AnyIpv6;

    internal IEnumerable<NginxDirective> Http => All.Select(address => Directives.Plain("listen", $"{address}:{HttpPort}"));

    internal IEnumerable<NginxDirective> Https =>
    [
        .. All.Select(address => Directives.Plain("listen", $"{address}:{HttpsParameters}".Split(' '))),
        .. Http2 is Http2.Directive ? [Directives.Plain("http2", "on")] : Array.Empty<NginxDirective>(),
    ];

    /// <summary>Makes the site one that is not there at other addresses; empty when it is at all.</summary>
    internal IEnumerable<NginxDirective> Guard => Addresses.All(IsAny) ? [] :
    [
        new NginxDirective("if",
            [NginxArgument.Expression(GuardedVariable), NginxArgument.Expression("!~"), NginxArgument.Expression($"^({string.Join('|', Addresses.Select(Pattern))})$)")],
            [Directives.Plain("return", "404")]),
    ];

    /// <summary>Where a request over http is sent: to the name that was asked for, over https.</summary>
    internal string RedirectTarget => $"https://$host{(HttpsPort == 443 ? "" : $":{HttpsPort}")}$request_uri";

    private IEnumerable<string> All => Addresses.Select(address => IsIpv6(address) ? AnyIpv6 : AnyIpv4);

    /// <summary>As nginx writes the address that a connection came to.</summary>
    private static string Pattern(string address) => address switch
    {
        AnyIpv4 => "[0-9.]+",
        AnyIpv6 => ".*:.*",
        _ => address.Trim('[', ']').Replace(".", "[.]", StringComparison.Ordinal),
    };

    private static bool IsIpv6(string address) => address.StartsWith('[');
}
