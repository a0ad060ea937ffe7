using System.Collections.Frozen;
using Piku.Core.Formats;
using Piku.Core.Model;
using Piku.Core.Nginx;
using Piku.Core.Services;
using Piku.Core.Workers;

namespace Piku.Tests.Plans;

/// <summary>How a request reaches an app, and what a site is called.</summary>
public sealed class SitePlanTests
{
    [Theory]
    [InlineData("web: x")]
    [InlineData("wsgi: a:a")]
    [InlineData("php: public")]
    [InlineData("rwsgi: config.ru")]
    public void A_cached_location_passes_requests_on_as_any_other(string procfile)
    {
        var site = SiteOf(procfile, "NGINX_CACHE_PREFIXES=/img,/x\nNGINX_CATCH_ALL=/index.php");
        var app = Location(site, "/");
        var cached = Location(site, "^/(img|x)");
        Assert.Equal([], app.Except(cached));
        Assert.All(cached.Except(app), line => Assert.Matches("^(proxy|uwsgi)_(cache|no_cache|hide_header)", line));
        Assert.DoesNotContain(cached, line => line.StartsWith("add_header", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("web: x", "proxy_set_header X-Forwarded-Ssl \"\"", "proxy_set_header Proxy \"\"", "proxy_set_header X-Forwarded-For $remote_addr", "proxy_set_header Host $piku_host")]
    [InlineData("php: x", "uwsgi_param HTTP_X_FORWARDED_SSL \"\" if_not_empty", "uwsgi_param HTTP_PROXY \"\" if_not_empty", "uwsgi_param HTTP_X_FORWARDED_FOR $remote_addr", "uwsgi_param HTTPS $piku_https if_not_empty")]
    public void Nothing_that_a_client_says_of_its_way_reaches_the_app(string procfile, params string[] lines) =>
        Assert.Superset(lines.ToHashSet(), Location(SiteOf(procfile, ""), "/").ToHashSet());

    [Fact]
    public void Locations_of_the_apps_own_that_pass_requests_on_tell_what_they_do_not_say_themselves()
    {
        var site = SiteOf("web: x", "NGINX_INCLUDE_FILE=more.conf",
            """
            proxy_set_header X-Own 1;
            location /plain { proxy_pass http://127.0.0.1:9; }
            location /own { proxy_set_header x-forwarded-proto own; if ($arg_a) { proxy_pass http://127.0.0.1:9; } }
            location /fast { fastcgi_param A 1; fastcgi_pass 127.0.0.1:9; }
            location /inherits { fastcgi_pass 127.0.0.1:9; }
            location /files { root /srv; }
            """);
        Assert.Superset(new HashSet<string> { "proxy_set_header X-Own 1", "proxy_set_header X-Real-IP $remote_addr", "proxy_set_header Forwarded \"\"" }, Location(site, "/plain").ToHashSet());
        Assert.Equal(["own"], Location(site, "/own").Where(line => line.Contains("x-forwarded-proto ", StringComparison.OrdinalIgnoreCase)).Select(line => line.Split(' ')[^1]));
        Assert.Contains("fastcgi_param HTTP_X_FORWARDED_FOR $remote_addr", Location(site, "/fast"));
        Assert.Equal(["fastcgi_pass 127.0.0.1:9"], Location(site, "/inherits"));
        Assert.Equal(["root /srv"], Location(site, "/files"));
    }

    [Theory]
    [InlineData("location ~ ^/(?<piku_scheme>.*) { return 200; }", "location")]
    [InlineData("location ~ ^/(?P<PIKU_host>.*) { return 200; }", "location")]
    [InlineData("set $piku_host evil;", "set")]
    [InlineData("location / { set $Piku_client 1; }", "set")]
    public void No_app_makes_a_variable_that_is_everybodys(string text, string directive) =>
        Assert.Contains($"more.conf: '{directive}' makes a variable", Assert.Throws<UserError>(() => SiteOf("web: x", "NGINX_INCLUDE_FILE=more.conf", text)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("a.example.com", "https://a.example.com:8443")]
    [InlineData(".example.com", "https://example.com:8443 and every name below it")]
    [InlineData("*.example.com", "every host name of the form *.example.com, over https on port 8443")]
    [InlineData("_", "every host name that no other app has, over https on port 8443")]
    [InlineData("~^a\\d\\.test$", "every host name that matches ^a\\d\\.test$, over https on port 8443")]
    public void Nobody_is_told_an_address_that_cannot_be_typed(string name, string address)
    {
        var plan = LivePlan.Create(Facts("static: x", $"NGINX_SERVER_NAME={name}"));
        Assert.Equal([address], plan.Urls);
        Assert.All(plan.Site!.CertificateNames, one => Assert.Matches(@"^(\*\.)?[a-z.]+$", one));
        using var certificate = System.Security.Cryptography.X509Certificates.X509Certificate2.CreateFromPem(
            Core.Machine.SelfSignedCertificate.Create(plan.Site.CertificateNames, TimeProvider.System).Certificate);
        if (name is not "_" && name[0] != '~')
            Assert.True(certificate.MatchesHostname(HostPattern.Example(name)));
    }

    [Theory]
    [InlineData(".taken.test", "taken.test")]
    [InlineData("*.all.test", "*.all.test")]
    public void A_name_with_all_below_it_is_two(string name, string taken)
    {
        var facts = Facts("web: x", $"NGINX_SERVER_NAME={name}") with
        {
            TakenServerNames = new[] { "taken.test", ".all.test" }.SelectMany(HostPattern.Forms).ToFrozenDictionary(form => form, _ => "the app 'shop'"),
        };
        Assert.Contains($"'{taken}' belongs to the app 'shop'", Assert.Throws<UserError>(() => LivePlan.Create(facts)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_address_of_its_own_takes_none_from_others()
    {
        var site = SiteOf("static: x", "NGINX_IPV4_ADDRESS=192.0.2.1");
        var lines = NginxDirective.Write(site.ToDirectives()).Split('\n').Select(line => line.Trim()).ToArray();
        Assert.Equal(["listen [::]:80;", "listen 0.0.0.0:80;", "listen [::]:443 ssl http2;", "listen 0.0.0.0:443 ssl http2;"], lines.Where(line => line.StartsWith("listen", StringComparison.Ordinal)));
        Assert.Contains("if ($server_addr !~ ^(.*:.*|192[.]0[.]2[.]1)$) {", lines);

        var foreign = Facts("static: x", "NGINX_SERVER_NAME=a.test\nNGINX_IPV4_ADDRESS=192.0.2.1") with { ForeignAddresses = ["192.0.2.1"] };
        Assert.StartsWith("NGINX_IPV4_ADDRESS is 192.0.2.1, and this machine has no such address", Assert.Throws<UserError>(() => LivePlan.Create(foreign)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("static: out", "", "/home/piku/.piku/apps/blog/out", "The Procfile serves 'out' as a static site")]
    [InlineData("web: x", "NGINX_STATIC_PATHS=/a: b", "/home/piku/.piku/apps/blog/b", "NGINX_STATIC_PATHS maps '/a' to 'b', and that does not exist")]
    public void A_static_folder_that_is_not_there_is_refused(string procfile, string env, string missing, string sentence)
    {
        var facts = Facts(procfile, $"NGINX_SERVER_NAME=a.test\n{env}") with { MissingPaths = [missing] };
        Assert.StartsWith(sentence, Assert.Throws<UserError>(() => LivePlan.Create(facts)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("web: x", "NGINX_STATIC_PATHS=/a:/home/piku/.piku/data/blog/a", "names /home/piku/.piku/data/blog/a, which does not exist yet")]
    [InlineData("web: x", "NGINX_CATCH_ALL=/index.html", "NGINX_CATCH_ALL has no effect")]
    [InlineData("wsgi: a:a", "NGINX_STICKY=cookie", "NGINX_STICKY has no effect")]
    [InlineData("web: x", "UWSGI_LISTEN=5000", "UWSGI_LISTEN is 5000, and the system allows 4096")]
    public void What_has_no_effect_is_said(string procfile, string env, string warning)
    {
        var facts = Facts(procfile, $"NGINX_SERVER_NAME=a.test\n{env}") with { MissingPaths = ["/home/piku/.piku/data/blog/a"] };
        facts = facts with { Host = facts.Host with { LongestQueue = 4096 } };
        Assert.Contains(warning, Assert.Single(LivePlan.Create(facts).Warnings), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("NGINX_STICKY=address", "hash $remote_addr consistent")]
    [InlineData("NGINX_STICKY=cookie", "hash $piku_sticky consistent")]
    [InlineData("", null)]
    public void A_visitor_stays_with_one_process_by_address_or_cookie(string env, string? directive)
    {
        var site = LivePlan.Create(Facts("web: x", $"NGINX_SERVER_NAME=a.test\n{env}") with { Scaling = Scaling.Parse("web:2") }).Site!;
        var upstream = site.ToDirectives().Single(block => block.Name == "upstream").Block!.Value;
        Assert.Equal(directive, upstream.Select(line => $"{line}").SingleOrDefault(line => line.StartsWith("hash", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_closed_site_keeps_names_addresses_certificate_and_challenges_and_answers_503()
    {
        var open = SiteOf("web: x", "NGINX_IPV4_ADDRESS=192.0.2.1\nNGINX_CACHE_PREFIXES=/a\nNGINX_HTTPS_ONLY=1").ToDirectives();
        var closed = NginxDirective.Write(ClosedSite.Of(NginxDirective.Parse(NginxDirective.Write(open))));
        Assert.Equal(closed, NginxDirective.Write(ClosedSite.Of(NginxDirective.Parse(closed))));
        Assert.Equal(
            ["listen", "listen", "location", "listen", "listen", "ssl_certificate", "ssl_certificate_key", "server_name", "if", "location"],
            NginxDirective.Parse(closed).Single().Block!.Value.Select(directive => directive.Name));
        Assert.Contains("return 503;", closed, StringComparison.Ordinal);
        Assert.DoesNotContain("proxy_pass", closed, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("web: x", "web:0")]
    [InlineData("wsgi: a:a", "wsgi:0")]
    public void An_app_without_processes_answers_503_and_at_no_address(string procfile, string scaling)
    {
        var plan = LivePlan.Create(Facts(procfile, "NGINX_SERVER_NAME=a.test\nNGINX_CACHE_PREFIXES=/a") with { Scaling = Scaling.Parse(scaling) });
        Assert.Empty(plan.Urls);
        Assert.Equal(procfile.Split(':')[0], plan.ClosedKind);
        Assert.Equal(["return 503"], Location(plan.Site!, "/"));
    }

    [Fact]
    public void What_nginx_says_of_a_line_names_the_apps_own_file()
    {
        var site = NginxDirective.Write(SiteOf("web: x", "NGINX_INCLUDE_FILE=conf/more.conf", "\n# mine\nadd_header A\n  b;\nlisten 8081;\nlocation /x {\n nonsense on; }", "conf/more.conf").ToDirectives());
        var line = site.Split('\n').Index().Single(one => one.Item.Contains("nonsense", StringComparison.Ordinal)).Index + 1;
        Assert.Equal("unknown directive \"nonsense\" in conf/more.conf:7", NginxMessage.WithOrigin($"unknown directive \"nonsense\" in /run/candidate.conf:{line}", "/run/candidate.conf", site, "/nginx/blog.conf"));
        Assert.Equal("odd in /nginx/blog.conf:1", NginxMessage.WithOrigin("odd in /run/candidate.conf:1", "/run/candidate.conf", site, "/nginx/blog.conf"));
        Assert.StartsWith("it cannot listen at 0.0.0.0:8081, as conf/more.conf:5 says (Address already in use).", NginxMessage.OccupiedAddress("bind() to 0.0.0.0:8081 failed (98: Address already in use)", site), StringComparison.Ordinal);
        Assert.Null(NginxMessage.OccupiedAddress("unknown directive", site));
    }

    [Fact]
    public void Media_types_are_added_where_nginx_has_none()
    {
        var types = MediaTypes.Beside("types { application/javascript js; text/markdown md; }").Block!.Value.Select(type => $"{type}").ToArray();
        Assert.Contains("text/javascript mjs cjs", types);
        Assert.Contains("text/markdown markdown", types);
        Assert.Contains("application/manifest+json webmanifest", types);
        Assert.Contains("text/html html htm", MediaTypes.Beside("").Block!.Value.Select(type => $"{type}"));
    }

    private static Core.Runtimes.DeployFacts Facts(string procfile, string env)
    {
        var facts = TestApp.With(procfile, env);
        return env.Contains("_IPV4_", StringComparison.Ordinal) || env.Contains("_CACHE_", StringComparison.Ordinal) ? facts
            : facts with { Host = facts.Host with { HttpPort = 8080, HttpsPort = 8443 } };
    }

    private static Site SiteOf(string procfile, string env, string? included = null, string file = "more.conf")
    {
        var facts = Facts(procfile, $"NGINX_SERVER_NAME=a.test\n{env}");
        return LivePlan.Create(included is null ? facts : facts with { Texts = new Dictionary<string, string> { [file] = included }.ToFrozenDictionary() }).Site!;
    }

    private static string[] Location(Site site, string path) =>
    [
        .. site.ToDirectives().Single(block => block.Name == "server").Block!.Value
            .Single(directive => directive.Name == "location" && directive.Arguments[^1].Value == path).Block!.Value.Select(directive => $"{directive}"),
    ];
}
