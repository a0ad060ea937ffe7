using System.Net;
using Piku.Server.Ssh.Authentication;

namespace Piku.Tests.Ssh;

public sealed class KeyOptionTests
{
    private const string Ed25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea";

    private static readonly DateTimeOffset Now = new(2026, 7, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("10.0.0.1", "10.0.0.1", true)]
    [InlineData("10.0.0.1", "10.0.0.2", false)]
    [InlineData("10.0.0.0/8", "10.255.0.1", true)]
    [InlineData("10.0.0.0/8", "11.0.0.1", false)]
    [InlineData("192.168.1.*", "192.168.1.77", true)]
    [InlineData("192.168.1.?", "192.168.1.77", false)]
    [InlineData("*", "2001:db8::1", true)]
    [InlineData("2001:db8::/32", "2001:db8::1", true)]
    [InlineData("2001:DB8::1", "2001:db8::1", true)]
    [InlineData("2001:db8::/32", "10.0.0.1", false)]
    [InlineData("10.0.0.0/8", "::ffff:10.1.2.3", true)]
    [InlineData("10.0.0.0/8,!10.6.6.6", "10.6.6.6", false)]
    [InlineData("!10.6.6.6,10.0.0.0/8", "10.6.6.6", false)]
    [InlineData("!10.6.6.6,10.0.0.0/8", "10.6.6.7", true)]
    [InlineData("!10.6.6.6", "10.6.6.7", false)]
    public void A_key_comes_only_from_where_it_may(string from, string address, bool welcome) =>
        Assert.Equal(welcome, Options($"from=\"{from}\"").Refusal(IPAddress.Parse(address), Now) is null);

    [Theory]
    [InlineData("20260701Z", false)]
    [InlineData("20260702Z", true)]
    [InlineData("202607011159Z", false)]
    [InlineData("202607011201Z", true)]
    [InlineData("20260701120000Z", true)]
    [InlineData("20260701115959Z", false)]
    [InlineData("20991231", true)]
    [InlineData("20001231", false)]
    [InlineData("20991231\",expiry-time=\"20001231", false)]
    public void A_key_lasts_until_its_time(string expiry, bool welcome) =>
        Assert.Equal(welcome, Options($"expiry-time=\"{expiry}\"").Refusal(IPAddress.Loopback, Now) is null);

    [Theory]
    [InlineData("no-agent-forwarding,no-X11-forwarding,no-user-rc", true, true)]
    [InlineData("no-pty", false, true)]
    [InlineData("No-Port-Forwarding", true, false)]
    [InlineData("restrict", false, false)]
    [InlineData("restrict,pty", true, false)]
    [InlineData("restrict,port-forwarding,agent-forwarding,x11-forwarding,user-rc", false, true)]
    [InlineData("pty,restrict", false, false)]
    public void The_last_of_those_that_contradict_each_other_counts(string options, bool terminal, bool ports)
    {
        var read = Options(options);
        Assert.Equal((terminal, ports), (read.MayHaveTerminal, read.MayForwardPorts));
    }

    [Theory]
    [InlineData("restrict,permitopen=\"localhost:80\"", "localhost", 80, false)]
    [InlineData("permitopen=\"localhost:80\"", "localhost", 80, true)]
    [InlineData("permitopen=\"localhost:80\"", "localhost", 81, false)]
    [InlineData("permitopen=\"localhost:80\"", "127.0.0.1", 80, false)]
    [InlineData("permitopen=\"a:1\",permitopen=\"b:*\"", "B", 99, true)]
    [InlineData("permitopen=\"*:8080\"", "anything", 8080, true)]
    [InlineData("permitopen=\"[::1]:5432\"", "::1", 5432, true)]
    [InlineData("pty", "anything", 1, true)]
    public void Ports_are_forwarded_only_to_permitted_targets(string options, string host, int port, bool may) =>
        Assert.Equal(may, Options(options).MayForwardTo(host, port));

    [Fact]
    public void What_certificates_and_FIDO_keys_need_is_kept()
    {
        var authority = Options("cert-authority,principals=\"alice,bob\",verify-required,no-touch-required");
        Assert.Equal((true, false, true), (authority.IsAuthority, authority.NeedsTouch, authority.NeedsVerification));
        Assert.Equal(["alice", "bob"], authority.Principals);
        Assert.Equal((false, true, false), (Options("pty").IsAuthority, Options("pty").NeedsTouch, Options("pty").NeedsVerification));
    }

    [Theory]
    [InlineData("from=\"*.example.org\"", "the option 'from': '*.example.org' is not an address, and names are not looked up")]
    [InlineData("from=\"!evil.example.org,*\"", "the option 'from': 'evil.example.org' is not an address, and names are not looked up")]
    [InlineData("from=\"10.1\"", "the option 'from': '10.1' is not an address, and names are not looked up")]
    [InlineData("from=\"10.0.0.1/8\"", "the option 'from': '10.0.0.1/8' is not a network")]
    [InlineData("from=\"10.0.0.0/33\"", "the option 'from': '10.0.0.0/33' is not a network")]
    [InlineData("from=\"\"", "the option 'from': '' is not an address, and names are not looked up")]
    [InlineData("from=\"10.0.0.1,\"", "the option 'from': '' is not an address, and names are not looked up")]
    [InlineData("from=\"*\",from=\"*\"", "the option 'from': it is there twice")]
    [InlineData("expiry-time=\"2030\"", "the option 'expiry-time': it needs a time as YYYYMMDD[HHMM[SS]][Z]")]
    [InlineData("expiry-time=\"20301301\"", "the option 'expiry-time': it needs a time as YYYYMMDD[HHMM[SS]][Z]")]
    [InlineData("permitopen=\"80\"", "the option 'permitopen': it needs host:port")]
    [InlineData("permitopen=\"::1:80\"", "the option 'permitopen': it needs host:port")]
    [InlineData("permitopen=\"a:0\"", "the option 'permitopen': its port is none")]
    [InlineData("principals=\"alice\"", "the option 'principals': it needs 'cert-authority'")]
    [InlineData("cert-authority,principals=\",\"", "the option 'principals': it needs names")]
    [InlineData("cert-authority=\"x\"", "the option 'cert-authority': it takes no value")]
    [InlineData("environment=\"A B=1\"", "the option 'environment': it needs NAME=value")]
    [InlineData("no-such-option", "the option 'no-such-option' is not supported")]
    public void An_option_that_cannot_be_honoured_disables_its_line(string options, string problem)
    {
        var text = AuthorizedKeysText.Parse($"{options} {Ed25519}", "piku.py");
        Assert.Empty(text.Keys);
        Assert.Equal(problem, Assert.Single(text.Problems).Message);
    }

    private static KeyOptions Options(string options)
    {
        var text = AuthorizedKeysText.Parse($"{options} {Ed25519}", "piku.py");
        Assert.Empty(text.Problems);
        return text.Keys.Single().Options;
    }
}
