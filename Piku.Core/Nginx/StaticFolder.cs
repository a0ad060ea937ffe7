using Piku.Core.Formats;

namespace Piku.Core.Nginx;

/// <summary>
/// A folder that nginx serves itself. It can't be climbed out of (D19): <c>location</c> and <c>alias</c> both end in
/// a slash, so <c>/url../ENV</c> is another location (nginx docs, alias). What begins with a dot, and files named ENV
/// and Procfile, are refused in every folder, except for <c>.well-known</c> (RFC 8615).
/// </summary>
/// <param name="Url">Begins with a slash.</param>
/// <param name="Path">Absolute; a folder, or a file for an address of its own.</param>
public sealed record StaticFolder(string Url, string Path)
{
    /// <summary>A pattern (PCRE) of the addresses that no static folder serves.</summary>
    public const string Secret = @"/(\.(?!well-known(/|$))|(ENV|Procfile)$)";

    /// <summary>The address without the slash at its end; empty for the whole site.</summary>
    public string Base => Url.TrimEnd('/');

    /// <param name="catchAll">The file in the folder that answers where there is none, or null.</param>
    internal IEnumerable<NginxDirective> Locations(string? catchAll)
    {
        yield return Directives.Location($"{Base}/",
        [
            .. Delivery,
            Directives.Plain("alias", $"{Path.TrimEnd('/')}/"),
            Directives.Using("try_files", ["$uri", "$uri.html", "$uri/", .. catchAll is null ? Array.Empty<string>() : [catchAll], "=404"]),
            Directives.Location("~", Secret, [Directives.Plain("deny", "all")]),
        ]);
        // The address itself is a file, or a folder that nginx redirects to the address with the slash.
        if (Base.Length > 0)
            yield return Directives.Location("=", Base, [.. Delivery, Directives.Plain("alias", Path.TrimEnd('/'))]);
    }

    private static IEnumerable<NginxDirective> Delivery =>
    [
        Directives.Plain("sendfile", "on"),
        Directives.Plain("sendfile_max_chunk", "1m"),
        Directives.Plain("tcp_nopush", "on"),
        Directives.Plain("directio", "8m"),
        Directives.Plain("aio", "threads"),
    ];
}
