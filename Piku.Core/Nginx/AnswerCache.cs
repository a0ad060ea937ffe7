using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Piku.Core.Formats;
using Piku.Core.Model;
using Piku.Core.Settings;

namespace Piku.Core.Nginx;

/// <summary>Answers of the app that nginx keeps (NGINX_CACHE_…). Sizes in gigabytes, times in seconds.</summary>
public sealed record AnswerCache
{
    /// <summary>Every status that is no error and has no time of its own.</summary>
    private static readonly string[] Others = ["201", "202", "203", "204", "300", "302", "303", "308"];

    /// <summary>In Cache-Control, what nginx keeps no answer with (ngx_http_upstream.c, process_cache_control).</summary>
    private const string NotToKeep = "(no-store|no-cache|private|(max-age|s-maxage)=0*([^0-9]|$))";

    /// <summary>The time that servers write in Expires for "at no time".</summary>
    private const string Past = "[A-Z][a-z][a-z], 01 Jan 19";

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

    /// <summary>
    /// The variable with what browsers are told of an answer, outside of the server. Only of what nginx keeps do they hear our
    /// word; an error, and what the app wants kept by nobody, goes out with its own.
    /// </summary>
    internal NginxDirective Word(string variable) => RequestVariables.Map(
        "$upstream_cache_status:$status:$http_authorization:$upstream_http_set_cookie:$upstream_http_x_accel_expires:$upstream_http_expires:$upstream_http_cache_control",
        variable,
        // Outside of a cached location, where nothing was hidden.
        ("~^:", ""),
        ("default", "$upstream_http_cache_control"),
        ($"~*^(MISS|HIT|EXPIRED|STALE|UPDATING|REVALIDATED):[23][0-9][0-9]:::(?!0:)[^:]*:(?!0:|-1:|{Past}).*:(?!.*{NotToKeep})", $"public, max-age={Control}"));

    /// <summary>What a cached location adds to how any request is passed on.</summary>
    internal NginxDirective Location(string name, Backend backend, IEnumerable<NginxDirective> pass) =>
        Directives.Location("~*", $"^/({string.Join('|', Prefixes.Select(Regex.Escape))})",
        [
            Directives.Plain($"{backend.Prefix}cache", name),
            Directives.Plain($"{backend.Prefix}cache_min_uses", "1"),
            // All that the answer may depend on: the app sees the scheme and the port as well; and uwsgi's answer to HEAD has no body.
            Directives.Using($"{backend.Prefix}cache_key", $"{RequestVariables.Scheme}$request_method{RequestVariables.Host}$request_uri"),
            // Who is let in by their password gets what is theirs alone (RFC 9111, section 3.5).
            Directives.Using($"{backend.Prefix}cache_bypass", "$http_authorization"),
            Directives.Using($"{backend.Prefix}no_cache", "$http_authorization"),
            Directives.Plain($"{backend.Prefix}cache_valid", "200", "304", $"{Time}s"),
            Directives.Plain($"{backend.Prefix}cache_valid", "301", "307", $"{Redirects}s"),
            Directives.Plain($"{backend.Prefix}cache_valid", [.. Others, $"{Any}s"]),
            Directives.Plain($"{backend.Prefix}hide_header", "Cache-Control"),
            .. pass,
        ]);
}
