using System.Text.RegularExpressions;

namespace Piku.Tests.Plans;

/// <summary>A way in which our plans are not what upstream did, on purpose.</summary>
/// <param name="Name">Its number in the contract.</param>
/// <param name="Reason">In one sentence.</param>
/// <param name="Cases">The recordings that show it, by the beginnings of their names; empty for all.</param>
/// <param name="Lines">A pattern of the lines of <see cref="Comparison"/>, each after the number of its step.</param>
internal sealed record Difference(string Name, string Reason, string[] Cases, string Lines)
{
    public bool Covers(string name, string line) =>
        (Cases.Length == 0 || Cases.Any(one => name.StartsWith(one + "-", StringComparison.Ordinal))) && Regex.IsMatch(line, $"^({Lines})$");
}

/// <summary>All of them. Nothing else differs.</summary>
internal static class Differences
{
    public static readonly Difference[] All =
    [
        new("recording", "virtualenv and pip were the real ones there, whose calls were not recorded.", ["g01"],
            @"(0|4): \+ run (virtualenv|pip) .*"),

        new("decision 61", "Output goes through a pipe, whose reader keeps the log.", [],
            @"\d+: vassal \S+: (- (log-maxsize|logfile-chown|logfile-chmod|logto2|log-backupname) = .*|\+ set-ph = piku-log=.*)"),
        new("decision 61", "The time that a worker may take to end is the app's to set.", [],
            @"\d+: vassal \S+: \+ reload-mercy = \d+"),
        new("D1", "A wsgi app that cannot be imported must not come up.", [],
            @"\d+: vassal wsgi: \+ need-app = true"),
        new("decision 20", "A worker whose requests are used up serves nobody for a minute, until uWSGI kills it.", [],
            @"\d+: vassal wsgi: \+ (skip-atexit-teardown = true|shared-pyimport = .*/uwsgi/exit\.py)"),
        new("D1", "A known runtime without its tools: the push is rejected, and not accepted to run nothing.", ["g11"],
            @"0: refused: .*"),
        new("D31", "Programs that need no build run.", ["g34"],
            @"0: (\+ vassal|LIVE_ENV: \+|SCALING: \+) .*"),
        new("D1", "No Procfile: the same.", ["g68"],
            @"1[2-4]: refused: The app has no Procfile\."),
        new("D1", "The preflight that fails keeps the version before; the plan is of the version that was pushed.", ["g38"],
            @"[23]: vassal worker: [-+] attach-daemon = ./w2?"),
        new("D3", "The build sees what piku sets, so references to it are known.", ["g56"],
            @"0: run npm: - (N|Q)=.*"),
        new("D4", "PYTHON_VERSION=3.11 works.", ["g06"],
            @"0: \+ vassal g06_wsgi\.1\.ini"),
        new("D6", "A kind is part of a file's name: letters, digits, '_', '-' and '.', and it has a command.", ["g54"],
            @"0: (- vassal g54_(sp ace|nocmd|)\.1\.ini|SCALING: - (sp ace|nocmd|):1)"),
        new("D6", "A kind with a slash is skipped; upstream stops in the middle.", ["g68"],
            @"9: (\+ vassal g68_web\.1\.ini|SCALING: - a/b:1)"),
        new("D8", "A schedule that cron would not take rejects the push.", ["g36", "g54"],
            @"0: refused: Procfile line \d+ \(cron.*"),
        new("D8", "What upstream warned of or handed to uWSGI as it was.", ["g36"],
            @"0: (- vassal g36_cron[4B]\.1\.ini|SCALING: - cron[4B]:1)"),
        new("D8", "Ranges, lists and names become lines that uWSGI understands.", ["g36"],
            @"0: vassal cron[789]: (- cron = (1-5|0,30|@daily) .*|\+ cron = \d+ .*)"),
        new("D9", "'export' before a name is no part of it, as in a shell, and an indented # begins a comment too.", ["g56"],
            @"0: (run npm: - .*|(vassal web|LIVE_ENV): [-+] )(# indented comment=y|(export )?L=1)( \+ nothing)?"),
        new("D9", "A line of ENV that is no setting rejects the push.", ["g55"],
            @"0: refused: ENV line 3: .*"),
        new("D10", "Cloudflare's IPv6 networks unless DISABLE_IPV6, not because of it.", ["g49"],
            @"\d: (site: [-+] .* > allow \S+::/32|LIVE_ENV: [-+] NGINX_ACL=.*)"),
        new("D12", "Values of config:set do not become uWSGI options.", ["g65"],
            @"2: vassal web: - (A|SECRET|B) = .*"),
        new("D14", "The second web process has a port of its own.", ["g52"],
            @"1[34]: vassal web: [-+] PORT=.*"),
        new("D16", "Self-signed certificates are made in-process.", [],
            @"\d+: - run openssl .*"),
        new("D19", "Static folders do not serve secrets.", ["g29", "g31"],
            @"\d: site: \+ server 1 > location / > location ~ ""/\(.*(well-known|ENV\|Procfile).*"" > deny all"),
        new("D21", "jwsgi gets its socket, the options that load it, and no daemon.", ["g17"],
            @"\d: vassal jwsgi: (- (attach-daemon = .*|plugin = jvm)|\+ (plugin = 0:jvm|(jwsgi|jvm-classpath|socket|chmod-socket) = .*))"),
        new("D21", "rwsgi the same; rbrequire and post-buffering are options, not plugins.", ["g15"],
            @"\d: vassal rwsgi: (- (attach-daemon|plugin) = (config\.ru|rbrequire|post-buffering)|\+ (rack|rbrequire|post-buffering|http-socket) = .*)"),
        new("D21", "Threads crash Ruby without the plugin for them.", ["g15"],
            @"\d: vassal rwsgi: \+ (plugin = rbthreads|rbthreads = true)"),
        new("D21", "asyncio gets the loop and the greenlets without which it answers every request with an error.", ["g03"],
            @"\d: vassal wsgi: \+ (plugin = greenlet_python3|greenlet = true|asyncio = 12)"),
        new("D19", "php serves static files too, and no secrets.", ["g27", "g28"],
            @"0: vassal php: \+ route = .* break:403 Forbidden"),
        new("D21", "php binds BIND_ADDRESS.", ["g27", "g28"],
            @"0: vassal php: (- http = :\d+|\+ http = 127\.0\.0\.1:\d+)"),
        new("D22", "A cron command is left as written.", ["g36"],
            @"0: vassal cron: [-+] cron = 1 2 3 4 5 echo (-3 -1|\*/3 \*) x"),
        new("D23", "The second deploy of a Clojure app builds.", ["g23"],
            @"2: \+ run clojure .*"),
        new("D23", "A Rust app gets its workers; upstream stops for want of the folder envs/APP.", ["g25"],
            @"0: (\+ vassal|LIVE_ENV: \+|SCALING: \+) .*"),
        new("D28", "A missing include file, or a cache setting that is no number.", ["g07", "g45"],
            @"\d: refused: (UWSGI_INCLUDE_FILE|NGINX_CACHE_SIZE) .*"),
        new("D32", "One description of a request, in each place that passes it on; what clients claim of their way is left out, and uWSGI is told the scheme.", [],
            @"\d+: site: [-+] server 1 > location [^>]+ > (proxy_set_header|uwsgi_param) .*"),
        new("D32", "The same over the same protocol for a cached location.", ["g43"],
            @"\d+: site: \+ server 1 > location ~\* [^>]+ > proxy_http_version 1\.1"),
        new("D32", "Kinds that uWSGI serves hear of a request by its own protocol, beside the port.", ["g15", "g27"],
            @"\d: (vassal (php|rwsgi): \+ (socket|chmod-socket) = .*|site: - (server 1 > location / > (proxy_pass|proxy_http_version) .*|upstream \S+ > server 127\..*)|site: \+ (server 1 > location / > uwsgi_pass .*|upstream \S+ > server unix:.*))"),
        new("D32", "What only proxy_pass reads is not written for uwsgi_pass.", [],
            @"\d+: site: - server 1 > location / > proxy_http_version 1\.1"),
        new("D36", "An answer is kept and relabelled only when nobody forbids it, errors are not kept, and headers hold for the whole site.", ["g43", "g68"],
            @"\d+: site: [-+] (map \$upstream_cache_status.*|server 1 > (location ~\* [^>]+ > )?((proxy|uwsgi)_(cache_key|cache_valid|cache_bypass|no_cache) .*|add_header (Cache-Control|X-Cache) .*))"),
        new("D37", "nginx listens everywhere, and the site refuses what comes to another address.", ["g47"],
            @"\d: site: ([-+] server \d > listen \[::1?\]:.*|\+ server 1 > if \(\$server_addr .*)"),
        new("D32", "Redirected to https under the name that was asked for, by one server for both.", ["g42", "g47"],
            @"\d: site: ([-+] server [12] > .*)"),
        new("D32", "Cloudflare's list guards the whole site, and its word of the client counts only from there.", ["g49"],
            @"\d: site: (- server 1 > location / > (allow|deny) .*|\+ (server 1 > (allow|deny) .*|geo .*|map .*))"),
        new("404", "A static site's own page for what is not there.", ["g29", "g31"],
            @"\d: site: \+ server 1 > error_page 404 /404\.html"),
        new("elsewhere", "acme.sh is called when the site is there: AcmePlanTests.", ["g60"],
            @"\d: - run acme\.sh .*"),
    ];
}
