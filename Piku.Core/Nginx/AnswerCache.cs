using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Piku.Core.Formats;
using Piku.Core.Model;
using Piku.Core.Settings;

namespace Piku.Core.Nginx;

/// <summary>Answers of the app that nginx keeps (NGINX_CACHE_…). Sizes in gigabytes, times in seconds.</summary>
public sealed record AnswerCache
{
    /// <summary>Beginnings of addresses, without their first slash.</summary>
    public required ImmutableArray<string> Prefixes { get; init; }

    /// <summary>Where they are kept; nginx's alone, and it deletes what else it finds there.</summary>
    public required string Folder { get; init; }

    public required int Size { get; init; }

    public required int Time { get; init; }

    public required int Redirects { get; init; }

    public required int Any { get; init; }

    public required int Control { get; init; }

    public required int Expiry { get; init; }

    /// <summary>The cache that the app's settings ask for, or null.</summary>
    /// <param name="env">The app's environment.</param>
    /// <param name="ownFolder">Where answers are kept unless the app says otherwise.</param>
    /// <exception cref="UserError">A value is none of its setting's (D28).</exception>
    public static AnswerCache? From(EnvMap env, string ownFolder) => !NginxSettings.CachePrefixes.TryIn(env, out var prefixes) ? null : new()
    {
        Prefixes = [.. prefixes.Select(prefix => prefix.TrimStart('/'))],
        Folder = NginxSettings.CachePath.TryIn(env, out var folder) ? folder : ownFolder,
        Size = NginxSettings.CacheSize.In(env),
        Time = NginxSettings.CacheTime.In(env),
        Redirects = NginxSettings.CacheRedirects.In(env),
        Any = NginxSettings.CacheAny.In(env),
        Control = NginxSettings.CacheControl.In(env),
        Expiry = NginxSettings.CacheExpiry.In(env),
    };

    /// <summary>The cache itself, outside of the server.</summary>
    internal NginxDirective Zone(string name, Backend backend) => Directives.Plain($"{backend.Prefix}cache_path",
        Folder, "levels=1:2", $"keys_zone={name}:20m", $"inactive={Expiry}s", $"max_size={Size}g", "use_temp_path=off");

    internal NginxDirective Location(string name, Backend backend, bool isBehindCloudflare) =>
        Directives.Location("~*", $"^/({string.Join('|', Prefixes.Select(Regex.Escape))})",
        [
            Directives.Plain($"{backend.Prefix}cache", name),
            Directives.Plain($"{backend.Prefix}cache_min_uses", "1"),
            Directives.Using($"{backend.Prefix}cache_key", "$host$request_uri"),
            Directives.Plain($"{backend.Prefix}cache_valid", "200", "304", $"{Time}s"),
            Directives.Plain($"{backend.Prefix}cache_valid", "301", "307", $"{Redirects}s"),
            Directives.Plain($"{backend.Prefix}cache_valid", "500", "502", "503", "504", "0s"),
            Directives.Plain($"{backend.Prefix}cache_valid", "any", $"{Any}s"),
            Directives.Plain($"{backend.Prefix}hide_header", "Cache-Control"),
            Directives.Plain("add_header", "Cache-Control", $"public, max-age={Control}"),
            Directives.Using("add_header", "X-Cache", "$upstream_cache_status"),
            .. backend.Pass(name, isBehindCloudflare),
        ]);
}
