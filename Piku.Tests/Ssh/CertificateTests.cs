using System.Net;
using Microsoft.Extensions.Logging;
using Piku.Server.Ssh;
using Piku.Server.Ssh.Authentication;
using Piku.Server.Ssh.Wire;

namespace Piku.Tests.Ssh;

/// <summary>Certificates that ssh-keygen makes, shown by ssh to a server that knows their authority only.</summary>
[NeedsMachine]
public sealed class CertificateTests : IAsyncLifetime
{
    private TestServer _server = null!;
    private SshSession? _session;
    private string _authority = "";

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync((session, _) =>
        {
            _session = session;
            return Task.FromResult(0);
        }, check: OnlyAppsAndPs);
        _authority = await _server.MakeKeyAsync("authority", "ed25519");
        await TrustAsync("cert-authority");
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        Assert.Empty(_server.Log.LinesAt(LogLevel.Error));
    }

    [Theory]
    [InlineData("ed25519")]
    [InlineData("ecdsa", "-b", "384")]
    [InlineData("rsa", "-b", "2048")]
    public async Task Let_in_keys_of_every_type_as_who_the_authority_says(string type, params string[] more)
    {
        var user = await _server.MakeKeyAsync("user", type, more);

        Assert.Equal(0, await EnterAsync(user, "-I", "alice@example.org", "-n", "alice,bob"));
        Assert.Equal("alice@example.org", _session!.Key.Name);
        Assert.True(_session.Key.Options is { MayHaveTerminal: true, MayForwardPorts: true, IsAuthority: false });
    }

    [Theory]
    [InlineData("ecdsa", "-b", "256")]
    [InlineData("rsa", "-b", "3072")]
    public async Task Of_authorities_of_every_type_let_in(string type, params string[] more)
    {
        _authority = await _server.MakeKeyAsync("other-authority", type, more);
        await TrustAsync("cert-authority");

        Assert.Equal(0, await EnterAsync(await _server.MakeKeyAsync("user", "ed25519"), "-I", "x", "-n", "alice"));
    }

    [Theory]
    [InlineData(255, "cert-authority", "none of its principals may come in", "-n", "bob")]
    [InlineData(255, "cert-authority", "none of its principals may come in")]
    [InlineData(0, "cert-authority,principals=\"bob,carol\"", "", "-n", "bob")]
    [InlineData(255, "cert-authority,principals=\"carol\"", "none of its principals may come in", "-n", "alice")]
    [InlineData(255, "cert-authority", "it has expired", "-n", "alice", "-V", "20200101:20210101")]
    [InlineData(255, "cert-authority", "it is not valid yet", "-n", "alice", "-V", "20990101:20991231")]
    [InlineData(0, "cert-authority", "", "-n", "alice", "-V", "-1d:+1d")]
    [InlineData(255, "cert-authority", "it may not come from this address", "-n", "alice", "-O", "source-address=10.0.0.0/8,192.0.2.1")]
    [InlineData(0, "cert-authority", "", "-n", "alice", "-O", "source-address=10.0.0.0/8,127.0.0.0/8")]
    [InlineData(255, "cert-authority", "its critical option 'else' is not supported", "-n", "alice", "-O", "critical:else=x")]
    [InlineData(0, "cert-authority", "", "-n", "alice", "-O", "extension:unknown@example.org=x")]
    [InlineData(0, "cert-authority", "", "-n", "alice", "-O", "force-command=apps")]
    [InlineData(255, "cert-authority", "a command of piku's", "-n", "alice", "-O", "force-command=rm")]
    [InlineData(255, "cert-authority,command=\"ps\"", "it forces another command", "-n", "alice", "-O", "force-command=apps")]
    [InlineData(255, "", "", "-n", "alice")] // a key that is no authority
    public async Task Let_in_as_far_as_they_and_their_authority_allow(int exitCode, string line, string reason, params string[] how)
    {
        await TrustAsync(line);

        Assert.Equal(exitCode, await EnterAsync(await _server.MakeKeyAsync("user", "ed25519"), ["-I", "id", .. how]));
        Assert.Contains(_server.Log.Lines, logged => logged.Contains(reason, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("cert-authority", false, true, "-O", "no-pty")]
    [InlineData("cert-authority", false, false, "-O", "clear")]
    [InlineData("cert-authority,restrict,pty", true, false)]
    public async Task Restrict_what_their_authority_allows(string line, bool terminal, bool forwarding, params string[] how)
    {
        await TrustAsync(line);

        Assert.Equal(0, await EnterAsync(await _server.MakeKeyAsync("user", "ed25519"), ["-I", "id", "-n", "alice", .. how]));
        Assert.Equal((terminal, forwarding), (_session!.Key.Options.MayHaveTerminal, _session.Key.Options.MayForwardPorts));
    }

    [Fact]
    public async Task Bind_their_key_to_a_command()
    {
        Assert.Equal(0, await EnterAsync(await _server.MakeKeyAsync("user", "ed25519"), "-I", "id", "-n", "alice", "-O", "force-command=apps"));
        Assert.Equal("apps", _session!.Key.ForcedCommand);
    }

    [Fact]
    public async Task Count_for_nothing_when_another_has_signed()
    {
        _authority = await _server.MakeKeyAsync("stranger", "ed25519");

        Assert.Equal(255, await EnterAsync(await _server.MakeKeyAsync("user", "ed25519"), "-I", "id", "-n", "alice"));
    }

    [Fact]
    public async Task Of_hosts_let_nobody_in()
    {
        var user = await _server.MakeKeyAsync("user", "ed25519");
        await SignAsync(user, "-I", "id", "-n", "alice", "-h"); // ssh would not even show it

        var certificate = UserCertificate.Read(await BlobAsync(user));

        Assert.Equal("it is for a host", CertifiedKey.Refusal(certificate, KeyOptions.None, "alice", IPAddress.Loopback, DateTimeOffset.UtcNow));
    }

    [Fact]
    public async Task Do_not_let_their_authority_in()
    {
        Assert.Equal(255, (await _server.SshAsync("x", "", "-i", _authority)).ExitCode);
    }

    [Fact]
    public async Task Count_for_nothing_when_any_byte_is_changed()
    {
        var user = await _server.MakeKeyAsync("user", "ed25519");
        await SignAsync(user, "-I", "id", "-n", "alice", "-O", "source-address=127.0.0.1");
        var blob = await BlobAsync(user);
        var authority = (await _server.Options.AuthorizedKeys.ReadAsync(TestContext.Current.CancellationToken)).Keys.Single();
        Admit(blob);
        for (var i = 0; i < blob.Length; i++)
        {
            var changed = blob.ToArray();
            changed[i] ^= 1;
            Assert.True(Record.Exception(() => Admit(changed)) is FormatException or SshProtocolException, $"byte {i}");
        }

        void Admit(byte[] certificate)
        {
            var read = UserCertificate.Read(certificate);
            if (!read.Authority.AsSpan().SequenceEqual(authority.PublicKey.Span))
                throw new FormatException("another authority");
            CertifiedKey.Admit(read, authority, "alice", IPAddress.Loopback, DateTimeOffset.UtcNow, "piku.py");
        }
    }

    private static void OnlyAppsAndPs(AuthorizedKey key)
    {
        if (key.ForcedCommand is not (null or "apps" or "ps"))
            throw new FormatException("only a command of piku's can be run");
    }

    private async Task TrustAsync(string options)
    {
        var key = await File.ReadAllTextAsync(_authority + ".pub", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(_server.AuthorizedKeysFile, $"{options} {key}".TrimStart(), TestContext.Current.CancellationToken);
    }

    private static async Task<byte[]> BlobAsync(string user) => Convert.FromBase64String(
        (await File.ReadAllTextAsync(user + "-cert.pub", TestContext.Current.CancellationToken)).Split(' ')[1]);

    private async Task SignAsync(string user, params string[] how)
    {
        var signed = await Programs.RunAsync("ssh-keygen", ["-q", "-s", _authority, .. how, user + ".pub"]);
        Assert.Equal((0, ""), (signed.ExitCode, signed.Error));
    }

    private async Task<int> EnterAsync(string user, params string[] how)
    {
        await SignAsync(user, how);
        return (await _server.SshAsync("x", "", "-i", user, "-o", $"CertificateFile={user}-cert.pub")).ExitCode;
    }
}
