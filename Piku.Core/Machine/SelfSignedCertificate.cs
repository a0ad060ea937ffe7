using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Piku.Core.Machine;

/// <summary>
/// A certificate that vouches for itself, for a site that has no better one: ECDSA P-256, which every browser and
/// TLS library takes, with all names in subjectAltName (RFC 6125; nobody reads the common name any more).
/// </summary>
/// <param name="Certificate">PEM.</param>
/// <param name="Key">PEM, PKCS #8; secret.</param>
public sealed record SelfSignedCertificate(string Certificate, string Key)
{
    /// <summary>Apple's systems accept no longer life of a certificate that a user has chosen to trust (HT210176).</summary>
    private static readonly TimeSpan Life = TimeSpan.FromDays(825);

    /// <summary>A clock somewhat behind ours must not find the certificate "not yet valid".</summary>
    private static readonly TimeSpan ClockSkew = TimeSpan.FromDays(1);

    private static readonly TimeSpan RenewBefore = TimeSpan.FromDays(30);

    /// <summary>X.520's upper bound for a common name, in characters.</summary>
    private const int CommonNameLimit = 64;

    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    /// <param name="names">Host names, <c>*.names</c> or IP addresses; at least one.</param>
    public static SelfSignedCertificate Create(IReadOnlyList<string> names, TimeProvider clock)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var subject = new X500DistinguishedNameBuilder();
        subject.AddCommonName(names[0].Length <= CommonNameLimit ? names[0] : "piku");
        var request = new CertificateRequest(subject.Build(), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(AlternativeNames(names));
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(ServerAuthentication)], critical: false));
        var now = clock.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now - ClockSkew, now - ClockSkew + Life);
        return new(certificate.ExportCertificatePem() + "\n", key.ExportPkcs8PrivateKeyPem() + "\n");
    }

    /// <summary>
    /// True when a certificate (PEM) needs no successor of ours: it is for just these names and does not end soon, or
    /// it is not self-signed: then it is somebody's own, and theirs to renew.
    /// </summary>
    public static bool IsCurrent(string pem, IReadOnlyList<string> names, TimeProvider clock)
    {
        try
        {
            using var certificate = X509Certificate2.CreateFromPem(pem);
            if (!certificate.IssuerName.RawData.AsSpan().SequenceEqual(certificate.SubjectName.RawData))
                return true;
            return certificate.NotAfter.ToUniversalTime() > clock.GetUtcNow() + RenewBefore
                && certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().SingleOrDefault() is { } present
                && present.RawData.AsSpan().SequenceEqual(AlternativeNames(names).RawData);
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    private static X509Extension AlternativeNames(IReadOnlyList<string> names)
    {
        var builder = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            if (IPAddress.TryParse(name, out var address))
                builder.AddIpAddress(address);
            else
                builder.AddDnsName(name);
        }
        return builder.Build();
    }
}
