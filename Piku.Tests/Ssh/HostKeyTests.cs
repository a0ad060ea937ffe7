using System.Security.Cryptography;
using Piku.Server.Ssh.Crypto;

namespace Piku.Tests.Ssh;

public sealed class HostKeyTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("piku-hostkey-").FullName;

    private string KeyFile => Path.Combine(_folder, "ssh", "ssh_host_ed25519_key");

    private IReadOnlyList<HostKey> Load(bool make = false)
    {
        HostKeyType[] types = [HostKeyType.Ed25519];
        if (make)
            HostKeyStore.Make(Path.Combine(_folder, "ssh"), HostKeyStore.Missing(Path.Combine(_folder, "ssh"), types));
        return HostKeyStore.Load(Path.Combine(_folder, "ssh"), types);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Is_made_once_and_stays_the_same()
    {
        var first = Load(make: true);
        var second = Load(make: true);

        Assert.Equal(first.Select(key => key.Fingerprint), second.Select(key => key.Fingerprint));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(KeyFile));
        Assert.Equal([KeyFile], Directory.GetFiles(Path.Combine(_folder, "ssh")));
    }

    [NeedsMachine]
    [Fact]
    public async Task Is_the_same_for_ssh_keygen()
    {
        var key = Load(make: true).Single();

        var listed = await Programs.RunAsync("ssh-keygen", ["-l", "-f", KeyFile]);
        var derived = await Programs.RunAsync("ssh-keygen", ["-y", "-f", KeyFile]);

        Assert.Contains(key.Fingerprint, listed.Output, StringComparison.Ordinal);
        Assert.Equal(Convert.ToBase64String(key.PublicKey), derived.Output.Split(' ')[1].Trim());
    }

    [NeedsMachine]
    [Fact]
    public async Task Of_sshd_is_taken_over()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(KeyFile)!);
        await Programs.RunAsync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "root@host", "-f", KeyFile]);
        var listed = await Programs.RunAsync("ssh-keygen", ["-l", "-f", KeyFile + ".pub"]);

        Assert.Contains(Load().Single().Fingerprint, listed.Output, StringComparison.Ordinal);
    }

    [NeedsMachine]
    [Fact]
    public async Task With_a_passphrase_is_refused_by_name()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(KeyFile)!);
        await Programs.RunAsync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "secret", "-f", KeyFile]);

        var error = Assert.Throws<FormatException>(() => Load());

        Assert.Equal($"the host key {KeyFile} cannot be used: it has a passphrase, which a server cannot type", error.Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")]
    [InlineData("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n")]
    public void That_is_none_is_refused_and_kept(string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(KeyFile)!);
        File.WriteAllText(KeyFile, text);

        Assert.Throws<FormatException>(() => Load());
        Assert.Equal(text, File.ReadAllText(KeyFile));
    }

    [Fact]
    public void Damaged_in_any_place_is_refused_or_the_same()
    {
        var text = HostKeyFile.Generate(HostKeyType.Ed25519);
        var data = Convert.FromBase64String(text[PemEncoding.Find(text).Base64Data]);
        var fingerprint = HostKeyFile.Parse(text).Fingerprint;
        for (var i = 0; i < data.Length; i++)
        {
            var changed = data.ToArray();
            changed[i] ^= 0x55;
            try
            {
                // The comment, the padding and the copy of the public key are nobody's secret.
                Assert.Equal(fingerprint, HostKeyFile.Parse(PemEncoding.WriteString("OPENSSH PRIVATE KEY", changed)).Fingerprint);
            }
            catch (FormatException)
            {
                continue;
            }
        }
    }
}
