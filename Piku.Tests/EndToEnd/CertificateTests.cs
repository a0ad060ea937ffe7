using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Piku.Core.Machine;

namespace Piku.Tests.EndToEnd;

/// <summary>A site's certificate by acme.sh, played by a program that asks for the challenge as an authority does.</summary>
[NeedsMachine]
public sealed class CertificateTests : IAsyncLifetime
{
    private PikuInstance? _piku;

    private PikuInstance Piku => _piku!;

    private string Acme => Path.Combine(Piku.Home, "acme");

    public async ValueTask InitializeAsync() => _piku = await PikuInstance.StartAsync(async instance =>
    {
        _piku = instance;
        instance.Environment = instance.Environment.With("ACME_ROOT", Acme);
        Directory.CreateDirectory(Acme);
        await File.WriteAllTextAsync(Path.Combine(Acme, "acme.sh"), Script(instance.HttpPort), TestContext.Current.CancellationToken);
        File.SetUnixFileMode(Path.Combine(Acme, "acme.sh"), AtomicFile.Executable);
        await PikuInstance.GiveToDaemonAsync(Acme, Path.Combine(Acme, "acme.sh"));
    });

    public async ValueTask DisposeAsync()
    {
        if (_piku is not null)
            await _piku.DisposeAsync();
    }

    [Fact]
    public async Task A_site_gets_one_keeps_it_and_has_it_renewed()
    {
        await IssueAsync("The Authority", "trusted.localhost");
        var repository = await Repository.FromExampleAsync(Piku.Client, "static", "trusted");
        await repository.PushAsync();
        Assert.Equal("CN=The Authority", await IssuerAsync(repository.Host));
        string[] calls =
        [
            $"--issue -d trusted.localhost -w {Piku.Paths.AcmeWww} --server letsencrypt.org",
            "the authority reads: proof",
            $"--install-cert -d trusted.localhost --key-file {Piku.Paths.NginxRoot}/trusted.key --fullchain-file {Piku.Paths.NginxRoot}/trusted.crt",
        ];
        Assert.Equal(calls, Calls());
        Assert.Equal(Path.Combine(Acme, "trusted.localhost_ecc"), new FileInfo(Path.Combine(Piku.Paths.AcmeWww, "trusted")).LinkTarget);

        repository.Replace("public/index.html", "version 1", "version 2");
        await repository.PushAsync();
        Assert.Equal(calls, Calls());

        // acme.sh renews by itself, and nginx is told: here at the start, later twice a day.
        Assert.True((await Piku.StopDaemonAsync()).Succeeded);
        await IssueAsync("Its Successor", "trusted.localhost");
        await Piku.StartDaemonAsync();
        await Eventually.TrueAsync(async () => await IssuerAsync(repository.Host) == "CN=Its Successor", TimeSpan.FromSeconds(15), () => Piku.Output);

        await Piku.Client.CommandAsync("destroy", "trusted");
        Assert.False(Path.Exists(Path.Combine(Piku.Paths.AcmeWww, "trusted")));
        Assert.False(Directory.Exists(Path.Combine(Acme, "trusted.localhost_ecc")));
    }

    [Theory]
    [InlineData("refuse-issue", "('--issue' ended with exit status 1)")]
    [InlineData("refuse-install", "('--install-cert' ended with exit status 1)")]
    [InlineData("install-nothing", "(none was installed)")]
    public async Task Without_one_the_site_has_a_self_signed_one_and_the_push_says_what_to_do(string trouble, string reason)
    {
        await IssueAsync("The Authority", "someone-else.localhost");
        await File.WriteAllTextAsync(Path.Combine(Acme, trouble), "", TestContext.Current.CancellationToken);
        var repository = await Repository.FromExampleAsync(Piku.Client, "static", "alone");
        var said = await repository.PushAsync();
        Assert.Contains($"acme.sh got no certificate {reason}", said, StringComparison.Ordinal);
        Assert.Contains($"port 80 to nginx, which listens on port {Piku.HttpPort}; 'deploy alone' tries again", said, StringComparison.Ordinal);
        Assert.Equal("CN=alone.localhost", await IssuerAsync(repository.Host));

        File.Delete(Path.Combine(Acme, trouble));
        await IssueAsync("The Authority", "alone.localhost");
        await Piku.Client.CommandAsync("deploy", "alone");
        Assert.Equal("CN=The Authority", await IssuerAsync(repository.Host));
    }

    [Fact]
    public async Task One_for_other_names_is_not_used()
    {
        await IssueAsync("The Authority", "someone-else.localhost");
        var repository = await Repository.FromExampleAsync(Piku.Client, "static", "misnamed");
        Assert.Contains("acme.sh got no certificate", await repository.PushAsync(), StringComparison.Ordinal);
        Assert.Equal("CN=misnamed.localhost", await IssuerAsync(repository.Host));
    }

    /// <summary>Its calls, without those that renew.</summary>
    private string[] Calls() =>
        [.. File.ReadAllLines(Path.Combine(Acme, "calls")).Where(line => !line.StartsWith("--cron", StringComparison.Ordinal))];

    /// <summary>What the authority will give out from now on.</summary>
    private async Task IssueAsync(string authority, string name)
    {
        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var alternative = new SubjectAlternativeNameBuilder();
        alternative.AddDnsName(name);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(alternative.Build());
        using var certificate = request.Create(
            new X500DistinguishedName($"CN={authority}"), X509SignatureGenerator.CreateForECDsa(authorityKey),
            DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(90), [1]);
        string[] files = [Path.Combine(Acme, "issued.crt"), Path.Combine(Acme, "issued.key")];
        await File.WriteAllTextAsync(files[0], certificate.ExportCertificatePem(), TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(files[1], key.ExportECPrivateKeyPem(), TestContext.Current.CancellationToken);
        await PikuInstance.GiveToDaemonAsync(files);
    }

    private async Task<string> IssuerAsync(string host)
    {
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", Piku.HttpsPort, TestContext.Current.CancellationToken);
        // No authority of these tests is trusted on this machine; which it was is the question.
        var issuer = "";
        await using var tls = new SslStream(client.GetStream(), leaveInnerStreamOpen: false, (_, certificate, _, errors) =>
        {
            issuer = certificate!.Issuer;
            return !errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch);
        });
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = host }, TestContext.Current.CancellationToken);
        return issuer;
    }

    private static string Script(int port) => $$"""
        #!/bin/sh
        here=$(dirname "$0")
        echo "$*" >>"$here/calls"
        case $1 in
            --issue)
                [ ! -e "$here/refuse-issue" ] || { echo 'Invalid response from the authority' >&2; exit 1; }
                name=$3
                while [ "$1" != -w ]; do shift; done
                mkdir -p "$2/.well-known/acme-challenge" "$here/${name}_ecc"
                echo proof >"$2/.well-known/acme-challenge/token"
                echo "the authority reads: $(curl --silent --fail --header "Host: $name" http://127.0.0.1:{{port}}/.well-known/acme-challenge/token)" >>"$here/calls"
                ;;
            --install-cert)
                [ ! -e "$here/refuse-install" ] || { echo half >"$7"; exit 1; }
                [ ! -e "$here/install-nothing" ] || exit 0
                cat "$here/issued.key" >"$5" && cat "$here/issued.crt" >"$7"
                echo "cat '$here/issued.key' >'$5'; cat '$here/issued.crt' >'$7'" >"$here/renew"
                ;;
            --cron) [ ! -e "$here/renew" ] || sh "$here/renew" ;;
        esac
        """;
}
