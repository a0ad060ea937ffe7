using Piku.Core.Formats;
using Piku.Core.Nginx;

namespace Piku.Tests.Plans;

public sealed class SitePortsTests
{
    private const string Site = """
        upstream shop { server unix:/srv/nginx/shop.sock; }
        server { listen 0.0.0.0:8080; listen [::]:8080; server_name shop.test; listen 0.0.0.0:8443 ssl http2; listen [::]:8443 ssl http2; listen 127.0.0.1:9000; location / { return 301 "https://$host:8443$request_uri"; } }
        """;

    [Fact]
    public void A_site_on_other_ports_moves_and_what_its_app_listens_on_besides_stays()
    {
        var moved = SitePorts.Move(Site, 80, 443);
        Assert.Equal(
            ["0.0.0.0:80", "[::]:80", "0.0.0.0:443", "[::]:443", "127.0.0.1:9000"],
            NginxDirective.Parse(moved!)[1].Block!.Value.Where(directive => directive.Name == "listen").Select(listen => listen.Arguments[0].Value));
        Assert.Contains("listen 0.0.0.0:443 ssl http2;", moved, StringComparison.Ordinal);
        Assert.Null(SitePorts.Move(moved!, 80, 443));
    }

    [Fact]
    public void Ports_can_change_places() => Assert.Contains("listen 0.0.0.0:8080 ssl http2;", SitePorts.Move(Site, 8443, 8080), StringComparison.Ordinal);

    [Fact]
    public void A_site_that_is_where_it_should_be_stays_as_it_is() => Assert.Null(SitePorts.Move(Site, 8080, 8443));
}
