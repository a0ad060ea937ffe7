using System.Collections.Frozen;
using System.Collections.Immutable;
using Piku.Core.Formats;
using Piku.Core.Model;

namespace Piku.Core.Nginx;

/// <summary>
/// The directives that an app with a user of its own may give nginx. nginx reads, writes and connects as piku, so that
/// any that names a file, an address or a place of its own choosing would be a way to what is others', and one that says how
/// much memory to take would take it from all; those of this table do neither. See docs/users.md.
/// </summary>
public static class ConfinedDirectives
{
    private static readonly FrozenSet<string> Allowed = new[]
    {
        "add_header", "allow", "charset", "client_body_timeout", "client_header_timeout", "client_max_body_size", "default_type",
        "deny", "etag", "expires", "gzip", "gzip_comp_level", "gzip_disable", "gzip_http_version", "gzip_min_length",
        "gzip_proxied", "gzip_types", "gzip_vary", "if_modified_since", "keepalive_requests", "keepalive_timeout", "limit_rate",
        "limit_rate_after", "location", "proxy_buffering", "proxy_connect_timeout", "proxy_hide_header", "proxy_http_version",
        "proxy_read_timeout", "proxy_request_buffering", "proxy_send_timeout", "proxy_set_header", "return", "send_timeout",
        "server_tokens", "uwsgi_buffering", "uwsgi_connect_timeout", "uwsgi_hide_header", "uwsgi_read_timeout",
        "uwsgi_request_buffering", "uwsgi_send_timeout",
    }.ToFrozenSet(StringComparer.Ordinal);

    /// <exception cref="UserError">One of them, or one within them, is none of these.</exception>
    public static void Require(ImmutableArray<NginxDirective> directives)
    {
        foreach (var directive in directives)
        {
            if (!Allowed.Contains(directive.Name))
                throw new UserError($"'{directive.Name}' is not for apps with a user of their own, because nginx could be led to what is others'; docs/users.md lists what is.");
            if (directive.Block is { } block)
                Require(block);
        }
    }
}
