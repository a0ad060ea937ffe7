using Piku.Core.Formats;
using Piku.Core.Nginx;
using Piku.Core.Services;

namespace Piku.Server.Hosting.Supervision;

/// <summary>The main configuration of an nginx that serves one installation and nothing else, without being root.</summary>
internal static class NginxConfig
{
    /// <summary>Characters of the longest server name: a host name has at most 253 (RFC 1035, section 2.3.4).</summary>
    private const string NamesBucket = "256";

    /// <summary>Room for 500 sites with a few names each.</summary>
    private const string NamesTable = "4096";

    private static readonly string[] TemporaryKinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];

    public static string Write(NginxFiles files, NginxOptions options, MimeTypes? mimeTypes)
    {
        NginxDirective[] http =
        [
            .. mimeTypes is null ? Array.Empty<NginxDirective>() : [NginxDirective.Of("include", mimeTypes.Path)],
            MediaTypes.Beside(mimeTypes?.Text ?? ""),
            NginxDirective.Of("default_type", "application/octet-stream"),
            NginxDirective.Of("access_log", "off"),
            NginxDirective.Of("server_tokens", "off"),
            NginxDirective.Of("sendfile", "on"),
            // Of its own redirects, such as to a folder: a client that came through another port or scheme stays there.
            NginxDirective.Of("absolute_redirect", "off"),
            NginxDirective.Of("variables_hash_max_size", NamesTable),
            NginxDirective.Of("map_hash_bucket_size", NamesBucket),
            // Room for the headers that an app is told, or is not to hear of (Piku.Core/Nginx/Reach).
            NginxDirective.Of("proxy_headers_hash_max_size", "2048"),
            NginxDirective.Of("proxy_headers_hash_bucket_size", "128"),
            NginxDirective.Of("server_names_hash_bucket_size", NamesBucket),
            NginxDirective.Of("server_names_hash_max_size", NamesTable),
            .. TemporaryFolders(files),
            .. Tls(files),
            .. RequestVariables.Define(options.TrustedProxies),
            DefaultServer(options),
            NginxDirective.Of("include", files.SiteList),
        ];
        return "# Written anew at each start.\n" + NginxDirective.Write(
        [
            // Who is root of a namespace of their own is asked; the name is in every system's list of users.
            .. options.IsRoot ? [NginxDirective.Of("user", "root", "root")] : Array.Empty<NginxDirective>(),
            NginxDirective.Of("daemon", "off"),
            NginxDirective.Of("worker_processes", "auto"),
            NginxDirective.Of("pid", files.ProcessIdFile),
            NginxDirective.Of("error_log", files.Log),
            NginxDirective.Of("events", [], [NginxDirective.Of("worker_connections", "1024")]),
            NginxDirective.Of("http", [], http),
        ]);
    }

    private static IEnumerable<NginxDirective> TemporaryFolders(NginxFiles files) =>
        TemporaryKinds.Select(kind => NginxDirective.Of($"{kind}_temp_path", Path.Combine(files.Temporary, kind)));

    private static NginxDirective[] Tls(NginxFiles files) =>
    [
        NginxDirective.Of("ssl_protocols", "TLSv1.2", "TLSv1.3"),
        NginxDirective.Of("ssl_session_cache", "shared:piku:1m"),
        NginxDirective.Of("ssl_certificate", files.DefaultCertificate),
        NginxDirective.Of("ssl_certificate_key", files.DefaultCertificateKey),
    ];

    /// <summary>Answers for names that no site has; without it the first site would.</summary>
    private static NginxDirective DefaultServer(NginxOptions options) => NginxDirective.Of("server", [],
    [
        .. Listen(options, options.HttpPort, []),
        .. Listen(options, options.HttpsPort, ["ssl"]),
        NginxDirective.Of("server_name", "_"),
        NginxDirective.Of("return", "404"),
    ]);

    private static IEnumerable<NginxDirective> Listen(NginxOptions options, int port, string[] flags)
    {
        yield return NginxDirective.Of("listen", [$"0.0.0.0:{port}", "default_server", .. flags]);
        if (options.ListensOnIpv6)
            yield return NginxDirective.Of("listen", [$"[::]:{port}", "default_server", .. flags]);
    }
}

/// <summary>nginx's own list of media types.</summary>
internal sealed record MimeTypes(string Path, string Text);
