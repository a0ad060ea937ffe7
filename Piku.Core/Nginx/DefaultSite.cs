using System.Collections.Immutable;
using Piku.Core.Formats;

namespace Piku.Core.Nginx;

/// <summary>The server for hosts that no app has: it ends the connection without an answer.</summary>
public static class DefaultSite
{
    /// <param name="listening">Where all sites listen.</param>
    public static ImmutableArray<NginxDirective> ToDirectives(Listening listening) =>
    [
        NginxDirective.Of("server", [],
        [
            .. listening.Addresses.Select(address => Directives.Plain("listen", $"{address}:{listening.HttpPort}", "default_server")),
            .. listening.Addresses.Select(address => Directives.Plain("listen", $"{address}:{listening.HttpsPort}", "ssl", "default_server")),
            Directives.Plain("server_name", "_"),
            Directives.Plain("ssl_reject_handshake", "on"),
            Directives.Plain("return", "444"),
        ]),
    ];
}
