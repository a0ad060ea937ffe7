using System.Security.Cryptography.X509Certificates;
using Piku.Core.Machine;

namespace Piku.Tests.Machine;

public sealed class SelfSignedCertificateTests
{
    private static readonly string[] Names = ["blog.example.com", "*.blog.example.com", "under_score.local", "192.0.2.1", "::1"];

    [Fact]
    public void It_is_for_every_name()
    {
        var made = SelfSignedCertificate.Create(Names, TimeProvider.System);
        using var certificate = X509Certificate2.CreateFromPem(made.Certificate, made.Key);
        Assert.True(certificate.HasPrivateKey);
        Assert.True(certificate.MatchesHostname("blog.example.com"));
        Assert.True(certificate.MatchesHostname("www.blog.example.com"));
        Assert.True(certificate.MatchesHostname("192.0.2.1"));
        Assert.True(certificate.MatchesHostname("::1"));
        Assert.False(certificate.MatchesHostname("example.com"));
    }

    [Fact]
    public void It_is_current_for_these_names_until_a_month_before_its_end()
    {
        var pem = SelfSignedCertificate.Create(Names, TimeProvider.System).Certificate;
        Assert.True(SelfSignedCertificate.IsCurrent(pem, Names, TimeProvider.System));
        Assert.False(SelfSignedCertificate.IsCurrent(pem, ["other.example.com"], TimeProvider.System));
        Assert.False(SelfSignedCertificate.IsCurrent(pem, Names, new Later(TimeSpan.FromDays(800))));
        Assert.False(SelfSignedCertificate.IsCurrent("no certificate", Names, TimeProvider.System));
    }

    [Fact]
    public void A_name_longer_than_a_common_name_is_no_obstacle()
    {
        string[] names = [$"{new string('a', 60)}.{new string('b', 60)}.example.com"];
        Assert.True(SelfSignedCertificate.IsCurrent(SelfSignedCertificate.Create(names, TimeProvider.System).Certificate, names, TimeProvider.System));
    }

    private sealed class Later(TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + by;
    }
}
