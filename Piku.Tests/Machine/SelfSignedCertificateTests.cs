using System.Security.Cryptography;
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
    public void A_certificate_that_an_authority_has_signed_is_left_alone()
    {
        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var authority = new CertificateRequest("CN=authority", authorityKey, HashAlgorithmName.SHA256);
        authority.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var now = TimeProvider.System.GetUtcNow();
        using var issuer = authority.CreateSelfSigned(now.AddDays(-9), now.AddDays(9));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var issued = new CertificateRequest("CN=blog", key, HashAlgorithmName.SHA256).Create(issuer, now.AddDays(-8), now.AddDays(-1), [1]);
        Assert.True(SelfSignedCertificate.IsCurrent(issued.ExportCertificatePem(), Names, TimeProvider.System));
    }

    [Fact]
    public async Task OpenSsl_takes_it_for_its_names()
    {
        using var folder = new TempFolder();
        AtomicFile.Write(folder.File("crt"), SelfSignedCertificate.Create(Names, TimeProvider.System).Certificate, AtomicFile.Readable);
        var run = await ChildProcess.CaptureAsync(
            ChildProcessTests.Call("openssl", ["verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", "www.blog.example.com", "-CAfile", folder.File("crt"), folder.File("crt")]),
            TestContext.Current.CancellationToken);
        Assert.True(run.Status.Succeeded, run.Error);
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
