using System.Collections.Immutable;
using Piku.Core.Formats;

namespace Piku.Core.Nginx;

/// <summary>
/// The app's own directives, with what its locations that pass requests on do not say themselves: no server behind them is
/// told by a client what only nginx can know.
/// </summary>
internal static class IncludedLocations
{
    public static ImmutableArray<NginxDirective> Reached(ImmutableArray<NginxDirective> directives, Reach reach) =>
        [.. directives.Select(directive => directive.Name == "location" && directive.Block is not null ? Reached(directive, reach, Headers(directives)) : directive)];

    /// <param name="inherited">Headers of the blocks around it, which it has unless it has some of its own (nginx, proxy_set_header).</param>
    private static NginxDirective Reached(NginxDirective location, Reach reach, ImmutableArray<NginxDirective> inherited)
    {
        var block = location.Block!.Value;
        var headers = Headers(block) is { IsEmpty: false } own ? own : inherited;
        return location with
        {
            Block =
            [
                .. block.Select(directive => directive.Name == "location" && directive.Block is not null ? Reached(directive, reach, headers) : directive),
                .. Passes(block, "proxy_pass")
                    ? [.. Headers(block).IsEmpty ? headers : [], .. Missing(reach.Headers, headers)]
                    : Array.Empty<NginxDirective>(),
                .. Parameters(block, reach, "uwsgi"),
                .. Parameters(block, reach, "fastcgi"),
            ],
        };
    }

    /// <summary>Where a block has none of its own, one more would take away those that it inherits.</summary>
    private static IEnumerable<NginxDirective> Parameters(ImmutableArray<NginxDirective> block, Reach reach, string protocol) =>
        Passes(block, $"{protocol}_pass") && (Has(block, $"{protocol}_param") || Has(block, "include"))
            ? Missing(reach.HeaderParameters($"{protocol}_param"), block)
            : [];

    private static IEnumerable<NginxDirective> Missing(IEnumerable<NginxDirective> wanted, ImmutableArray<NginxDirective> present) =>
        wanted.Where(one => !present.Any(other => other.Name == one.Name && other.Arguments is [var name, ..]
            && name.Value.Equals(one.Arguments[0].Value, StringComparison.OrdinalIgnoreCase)));

    private static ImmutableArray<NginxDirective> Headers(ImmutableArray<NginxDirective> block) => [.. block.Where(directive => directive.Name == "proxy_set_header")];

    /// <summary>Also where it does so only <c>if</c>, or by <c>limit_except</c>: these have the headers of their location.</summary>
    private static bool Passes(ImmutableArray<NginxDirective> block, string directive) =>
        Has(block, directive) || block.Any(inner => inner is { Name: "if" or "limit_except", Block: { } conditional } && Has(conditional, directive));

    private static bool Has(ImmutableArray<NginxDirective> block, string name) => block.Any(directive => directive.Name == name);
}
