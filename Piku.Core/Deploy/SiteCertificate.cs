using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Piku.Core.Machine;
using Piku.Core.Model;
using Piku.Core.Nginx;
using Piku.Core.Runtimes;

namespace Piku.Core.Deploy;

/// <summary>
/// The certificate of an app's site: the one that somebody has put there, one that acme.sh gets, or where there is no
/// better a self-signed one (D16).
/// </summary>
internal sealed class SiteCertificate(Installation piku, AppName app, DeployLog log)
{
    /// <summary>acme.sh waits for the authority; a dozen names take a minute or two.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    /// <summary>acme.sh's RENEW_SKIP: it has a certificate for these names that is not due yet.</summary>
    private const int NotDue = 2;

    /// <summary>When an authority's certificate is got anew, before its end: acme.sh renews those of 90 days after 60.</summary>
    private static readonly TimeSpan RenewBefore = TimeSpan.FromDays(21);

    private string AcmeLink => piku.Paths.AcmeLink(app);

    /// <summary>Sees to it that nginx has a certificate: what is there is used as long as it lasts; ours follows the names of the site.</summary>
    public void Ensure(Site site)
    {
        if (AtomicFile.ReadIfExists(site.Certificate) is { } present && File.Exists(site.CertificateKey)
            && SelfSignedCertificate.IsCurrent(present, site.CertificateNames, piku.Clock))
            return;
        var made = SelfSignedCertificate.Create(site.CertificateNames, piku.Clock);
        AtomicFile.Write(site.CertificateKey, made.Key, AtomicFile.Secret);
        AtomicFile.Write(site.Certificate, made.Certificate, AtomicFile.Readable);
    }

    /// <summary>
    /// Has acme.sh get a certificate for a site that nginx serves already, so that the authority finds what it asks
    /// for. A failure is told, and the site keeps the certificate that it has.
    /// </summary>
    /// <returns>True when nginx is to load another certificate.</returns>
    public async Task<bool> ObtainAsync(Site site, IReadOnlyList<BuildAction.Run> calls, CancellationToken cancel)
    {
        if (calls.Count == 0 || IsVouchedFor(site))
            return false;
        await log.StepAsync($"Getting a certificate for {string.Join(", ", site.ProvableNames)}", cancel);
        var (certificate, key) = (await File.ReadAllBytesAsync(site.Certificate, cancel), await File.ReadAllBytesAsync(site.CertificateKey, cancel));
        var failure = await CallAsync(calls, cancel);
        if (IsVouchedFor(site))
        {
            Link(site);
            return true;
        }
        AtomicFile.Write(site.CertificateKey, key, AtomicFile.Secret);
        AtomicFile.Write(site.Certificate, certificate, AtomicFile.Readable);
        var port = site.Listening.HttpPort;
        await log.WarnAsync(
            $"acme.sh got no certificate ({failure ?? "none was installed"}), so browsers warn of a self-signed one. Each name must lead to this machine, "
            + $"and its port 80 to nginx{(port == 80 ? "" : $", which listens on port {port}")}; 'deploy {app}' tries again.", cancel);
        return false;
    }

    /// <summary>An app that goes takes what acme.sh knows of it along, or it would be renewed for ever.</summary>
    public void Forget()
    {
        if (new FileInfo(AcmeLink).LinkTarget is { } target && Path.GetDirectoryName(target) == piku.Host.AcmeFolder && Directory.Exists(target))
            Directory.Delete(target, recursive: true);
        File.Delete(AcmeLink);
    }

    private async Task<string?> CallAsync(IReadOnlyList<BuildAction.Run> calls, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(Patience);
        try
        {
            foreach (var call in calls)
            {
                var status = await ChildProcess.RunAsync(
                    new() { Program = call.Argv[0], Arguments = call.Argv[1..], Folder = call.Folder, Environment = call.Environment, Output = log.Output },
                    limit.Token);
                if (!status.Succeeded && status.Code != NotDue)
                    return $"'{call.Argv[1]}' ended with {status}";
            }
            return null;
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return $"it did not end within {Patience.TotalMinutes:0} minutes";
        }
    }

    /// <summary>True when an authority vouches for every name, for some time to come, and the key is the certificate's.</summary>
    private bool IsVouchedFor(Site site)
    {
        try
        {
            using var certificate = X509Certificate2.CreateFromPemFile(site.Certificate, site.CertificateKey);
            return !certificate.IssuerName.RawData.AsSpan().SequenceEqual(certificate.SubjectName.RawData)
                && certificate.NotAfter.ToUniversalTime() > piku.Clock.GetUtcNow() + RenewBefore
                && site.ProvableNames.All(name => certificate.MatchesHostname(name, allowCommonName: false));
        }
        catch (Exception unusable) when (unusable is CryptographicException or ArgumentException or IOException)
        {
            return false;
        }
    }

    /// <summary>As upstream: <c>acme/APP</c> leads to what acme.sh keeps, under the first name.</summary>
    private void Link(Site site)
    {
        var kept = new[] { $"{site.ProvableNames[0]}_ecc", site.ProvableNames[0] }
            .Select(name => Path.Combine(piku.Host.AcmeFolder, name)).FirstOrDefault(Directory.Exists);
        if (kept is null)
            return;
        File.Delete(AcmeLink);
        File.CreateSymbolicLink(AcmeLink, kept);
    }
}
