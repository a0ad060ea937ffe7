using System.Collections.Immutable;
using Piku.Core.Formats;

namespace Piku.Core.Nginx;

/// <summary>
/// A site without the app: it answers 503 under the same names, addresses and certificate, to whom it may answer, and an
/// authority still finds its challenges. Made from a site as it stands in its file, whoever wrote that.
/// </summary>
public static class ClosedSite
{
    private static readonly string[] Staying = ["listen", "http2", "server_name", "ssl_certificate", "ssl_certificate_key", "allow", "deny"];

    /// <summary>The same for a site that is closed already.</summary>
    public static ImmutableArray<NginxDirective> Of(ImmutableArray<NginxDirective> site) =>
        [.. site.Where(directive => directive is { Name: "server", Block: not null }).Select(server => server with { Block = Closed(server.Block!.Value) })];

    private static ImmutableArray<NginxDirective> Closed(ImmutableArray<NginxDirective> server) =>
        [.. server.Where(Stays), Directives.Location("/", [Unavailable])];

    internal static NginxDirective Unavailable => Directives.Plain("return", "503");

    private static bool Stays(NginxDirective directive) => Staying.Contains(directive.Name)
        || (directive.Name == "if" && directive.Arguments[0].Value == Listening.GuardedVariable)
        || (directive.Name == "location" && directive.Arguments.Any(argument => argument.Value == Site.ChallengePath));
}
