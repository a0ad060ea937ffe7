using Piku.Core.Model;
using Piku.Core.Services;

namespace Piku.Tests.Services;

/// <summary>With the real nginx.</summary>
[NeedsMachine]
public sealed class NginxTests
{
    private static readonly AppName Blog = AppName.Parse("blog");
    private static readonly AppName Shop = AppName.Parse("shop");

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_site_is_served_when_the_call_returns()
    {
        await using var piku = await Installation.WithNginxAsync();
        for (var version = 1; version <= 5; version++)
        {
            Assert.Empty(await piku.Nginx.ApplySiteAsync(Blog, Site(piku, "blog.test", $"version {version}"), Cancelled));
            Assert.Equal($"200 version {version}", await GetAsync(piku, "blog.test"));
        }
        await piku.Nginx.ApplySiteAsync(Blog, null, Cancelled);
        Assert.StartsWith("404", await GetAsync(piku, "blog.test"), StringComparison.Ordinal);
        Assert.False(File.Exists(piku.Paths.NginxSite(Blog)));
    }

    [Theory]
    [InlineData("server { nonsense on; }", "unknown directive \"nonsense\"")]
    [InlineData("server {", "unexpected end of file")]
    [InlineData("upstream shop { server 127.0.0.1:1; }", "duplicate upstream \"shop\"")]
    [InlineData("server { listen 127.0.0.1:1 ssl; ssl_certificate /no/such.crt; ssl_certificate_key /no/such.key; }", "/no/such.crt")]
    public async Task A_broken_site_is_refused_and_everything_is_as_it_was(string broken, string message)
    {
        await using var piku = await Installation.WithNginxAsync();
        await piku.Nginx.ApplySiteAsync(Blog, Site(piku, "blog.test", "blog"), Cancelled);
        await piku.Nginx.ApplySiteAsync(Shop, "upstream shop { server 127.0.0.1:1; }\n" + Site(piku, "shop.test", "shop"), Cancelled);
        var before = File.ReadAllText(piku.Paths.NginxSite(Blog));
        var failure = await Assert.ThrowsAsync<UserError>(() => piku.Nginx.ApplySiteAsync(Blog, broken, Cancelled));
        Assert.Contains("the site of blog", failure.Message, StringComparison.Ordinal);
        Assert.Contains(message, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("candidate", failure.Message, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllText(piku.Paths.NginxSite(Blog)));
        Assert.Equal(("200 blog", "200 shop"), (await GetAsync(piku, "blog.test"), await GetAsync(piku, "shop.test")));
    }

    [Fact]
    public async Task A_site_that_broke_later_takes_no_other_down()
    {
        await using var piku = await Installation.WithNginxAsync();
        await piku.Nginx.ApplySiteAsync(Blog, Site(piku, "blog.test", "blog"), Cancelled);
        await piku.Nginx.ApplySiteAsync(Shop, Site(piku, "shop.test", "shop"), Cancelled);
        File.WriteAllText(piku.Paths.NginxSite(Shop), "server { listen");
        var broken = Assert.Single(await piku.Nginx.ApplySiteAsync(Blog, Site(piku, "blog.test", "new blog"), Cancelled));
        Assert.Equal(piku.Paths.NginxSite(Shop), broken.Path);
        Assert.Equal("200 new blog", await GetAsync(piku, "blog.test"));
        await piku.StopAsync();
        await piku.StartNginxAsync();
        Assert.Equal("200 new blog", await GetAsync(piku, "blog.test"));
        Assert.StartsWith("404", await GetAsync(piku, "shop.test"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_who_change_sites_at_once_take_turns()
    {
        await using var piku = await Installation.WithNginxAsync();
        await Task.WhenAll(Enumerable.Range(1, 8).Select(i =>
            new NginxServer(piku.Paths, Installation.ToolEnvironment, TimeProvider.System)
                .ApplySiteAsync(AppName.Parse($"app{i}"), Site(piku, $"app{i}.test", $"{i}"), Cancelled)));
        for (var i = 1; i <= 8; i++)
            Assert.Equal($"200 {i}", await GetAsync(piku, $"app{i}.test"));
    }

    [Fact]
    public async Task Five_hundred_sites_with_long_names_are_accepted()
    {
        await using var piku = new Installation();
        for (var i = 0; i < 500; i++)
            File.WriteAllText(
                piku.Paths.NginxSite(AppName.Parse($"app{i}")), Site(piku, $"app{i}.{new string('a', 60)}.{new string('b', 60)}.example.com", "x"));
        await piku.StartNginxAsync();
        Assert.Equal("200 x", await GetAsync(piku, $"app499.{new string('a', 60)}.{new string('b', 60)}.example.com"));
    }

    [Fact]
    public async Task An_unknown_name_gets_no_site()
    {
        await using var piku = await Installation.WithNginxAsync();
        await piku.Nginx.ApplySiteAsync(Blog, Site(piku, "blog.test", "blog"), Cancelled);
        Assert.StartsWith("404", await GetAsync(piku, "other.test"), StringComparison.Ordinal);
        using var trusting = new HttpClientHandler { CheckCertificateRevocationList = true, ServerCertificateCustomValidationCallback = HttpClientHandler.DangerousAcceptAnyServerCertificateValidator };
        using var client = new HttpClient(trusting);
        using var answer = await client.GetAsync(new Uri($"https://127.0.0.1:{piku.Options.HttpsPort}/"), Cancelled);
        Assert.Equal(System.Net.HttpStatusCode.NotFound, answer.StatusCode);
    }

    [Fact]
    public async Task Without_nginx_running_a_site_waits_for_it()
    {
        await using var piku = await Installation.WithNginxAsync();
        await piku.StopAsync();
        await piku.Nginx.ApplySiteAsync(Blog, Site(piku, "blog.test", "blog"), Cancelled);
        await piku.StartNginxAsync();
        Assert.Equal("200 blog", await GetAsync(piku, "blog.test"));
    }

    [Theory]
    [InlineData("1.18.0", "--with-http_v2_module", true, false)]
    [InlineData("1.25.0", "--with-http_v2_module", true, false)]
    [InlineData("1.25.1", "--with-http_v2_module", true, true)]
    [InlineData("1.26.0", "--with-http_ssl_module", false, false)]
    public void Facts_are_read_from_its_version(string version, string options, bool http2, bool directive)
    {
        var facts = NginxFacts.Parse($"nginx version: nginx/{version} (Ubuntu)\nconfigure arguments: --conf-path=/etc/x/nginx.conf {options}\n");
        Assert.Equal((http2, directive, "/etc/x"), (facts.HasHttp2, facts.HasHttp2Directive, facts.ConfigFolder));
    }

    [Fact]
    public async Task The_nginx_here_tells_its_facts()
    {
        var facts = await NginxFacts.ReadAsync(Installation.ToolEnvironment, Cancelled);
        Assert.True(facts.Version.Major >= 1);
        Assert.Contains("http_ssl_module", facts.Modules);
    }

    internal static string Site(Installation piku, string name, string text) => $$"""
        server {
            listen 0.0.0.0:{{piku.Options.HttpPort}};
            server_name {{name}};
            return 200 "{{text}}";
        }

        """;

    private static Task<string> GetAsync(Installation piku, string name) => Installation.GetAsync(piku.Options.HttpPort, name);
}
