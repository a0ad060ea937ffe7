using System.Collections.Immutable;
using Piku.Core.Formats;
using Piku.Core.Model;

namespace Piku.Core.Nginx;

/// <summary>
/// Media types of files, for those that nginx's own list has not: browsers run no module, and install no app, that comes as
/// <c>application/octet-stream</c>. From IANA's registry; the beginning is for an nginx without a list.
/// </summary>
public static class MediaTypes
{
    private static readonly (string Type, string[] Extensions)[] Known =
    [
        ("text/html", ["html", "htm"]),
        ("text/css", ["css"]),
        ("text/javascript", ["js", "mjs", "cjs"]),
        ("text/plain", ["txt"]),
        ("text/xml", ["xml"]),
        ("application/json", ["json", "map"]),
        ("image/png", ["png"]),
        ("image/jpeg", ["jpg", "jpeg"]),
        ("image/gif", ["gif"]),
        ("image/svg+xml", ["svg", "svgz"]),
        ("image/webp", ["webp"]),
        ("image/x-icon", ["ico"]),
        ("image/avif", ["avif"]),
        ("image/apng", ["apng"]),
        ("image/jxl", ["jxl"]),
        ("image/heic", ["heic"]),
        ("font/woff", ["woff"]),
        ("font/woff2", ["woff2"]),
        ("font/ttf", ["ttf"]),
        ("font/otf", ["otf"]),
        ("font/collection", ["ttc"]),
        ("application/pdf", ["pdf"]),
        ("application/wasm", ["wasm"]),
        ("application/manifest+json", ["webmanifest"]),
        ("application/ld+json", ["jsonld"]),
        ("application/geo+json", ["geojson"]),
        ("application/json5", ["json5"]),
        ("application/jsonl", ["jsonl"]),
        ("application/yaml", ["yaml", "yml"]),
        ("application/toml", ["toml"]),
        ("application/gzip", ["gz", "tgz"]),
        ("application/epub+zip", ["epub"]),
        ("application/pgp-signature", ["asc"]),
        ("application/xslt+xml", ["xsl", "xslt"]),
        ("text/markdown", ["md", "markdown"]),
        ("text/csv", ["csv"]),
        ("text/tab-separated-values", ["tsv"]),
        ("text/calendar", ["ics"]),
        ("text/vcard", ["vcf"]),
        ("text/vtt", ["vtt"]),
        ("video/mp4", ["mp4"]),
        ("video/webm", ["webm"]),
        ("video/ogg", ["ogv"]),
        ("video/matroska", ["mkv"]),
        ("audio/mpeg", ["mp3"]),
        ("audio/ogg", ["ogg", "opus", "oga"]),
        ("audio/flac", ["flac"]),
        ("audio/wav", ["wav"]),
        ("audio/aac", ["aac"]),
        ("model/gltf+json", ["gltf"]),
        ("model/gltf-binary", ["glb"]),
    ];

    /// <summary>The directive that adds what a list has not, for the block in which that is included.</summary>
    /// <param name="list">The text of <c>mime.types</c>; empty when there is none.</param>
    public static NginxDirective Beside(string list)
    {
        var present = Extensions(list);
        return NginxDirective.Of("types", [],
            from known in Known
            let missing = known.Extensions.Where(extension => !present.Contains(extension)).ToArray()
            where missing.Length > 0
            select Directives.Plain(known.Type, missing));
    }

    private static ImmutableHashSet<string> Extensions(string list)
    {
        try
        {
            return [.. NginxDirective.Parse(list).SelectMany(types => types.Block ?? []).SelectMany(type => type.Arguments).Select(extension => extension.Value)];
        }
        catch (UserError)
        {
            return [];
        }
    }
}
