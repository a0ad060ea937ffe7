using System.Collections.Immutable;
using Piku.Core.Formats;

namespace Piku.Core.Nginx;

/// <summary>The ports of a site that was written when nginx had others.</summary>
public static class SitePorts
{
    /// <summary>The site on these ports; null when it is there already.</summary>
    /// <param name="site">As <see cref="Site"/> was written: what an app's own include file listens on besides stays.</param>
    /// <exception cref="Model.UserError">It is no configuration.</exception>
    public static string? Move(string site, int httpPort, int httpsPort)
    {
        var servers = NginxDirective.Parse(site);
        var (http, https) = (PortOf(servers, isTls: false), PortOf(servers, isTls: true));
        return (http is null || http == $"{httpPort}") && (https is null || https == $"{httpsPort}") ? null
            : NginxDirective.Write(Moved(servers, listen => (IsTls(listen), PortOf(listen)) switch
            {
                (true, var port) when port == https => $"{httpsPort}",
                (false, var port) when port == http => $"{httpPort}",
                (_, var port) => port,
            }));
    }

    private static ImmutableArray<NginxDirective> Moved(ImmutableArray<NginxDirective> directives, Func<NginxDirective, string?> port) =>
    [
        .. directives.Select(directive =>
            directive is { Name: "listen", Arguments: [var address, .. var flags] } && PortOf(directive) is { } before
                ? directive with { Arguments = [NginxArgument.Text(address.Value[..^before.Length] + port(directive)), .. flags] }
                : directive.Block is { } block ? directive with { Block = Moved(block, port) } : directive),
    ];

    /// <summary>A site's own lines come before those that its app includes.</summary>
    private static string? PortOf(ImmutableArray<NginxDirective> servers, bool isTls) => servers.SelectMany(server => server.Block ?? [])
        .Where(directive => directive.Name == "listen" && IsTls(directive) == isTls).Select(PortOf).FirstOrDefault(port => port is not null);

    private static bool IsTls(NginxDirective listen) => listen.Arguments.Any(argument => argument.Value == "ssl");

    /// <summary>Of <c>0.0.0.0:8080</c> or <c>[::]:8080</c>; null for a socket.</summary>
    private static string? PortOf(NginxDirective listen) =>
        listen.Arguments is [{ Value: var address }, ..] && address.Split(':')[^1] is { Length: > 0 } port && port.All(char.IsAsciiDigit) ? port : null;
}
