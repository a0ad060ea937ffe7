using Piku.Server.Ssh.Crypto;

namespace Piku.Tests.Ssh;

/// <summary>Host keys beside the first one.</summary>
[NeedsMachine]
public sealed class HostKeyKindsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("piku-hostkeys-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Of_every_kind_are_the_same_for_ssh_keygen()
    {
        HostKeyStore.Make(_folder, HostKeyType.All);

        foreach (var (type, key) in HostKeyType.All.Zip(HostKeyStore.Load(_folder, HostKeyType.All)))
        {
            var derived = await Programs.RunAsync("ssh-keygen", ["-y", "-f", Path.Combine(_folder, type.FileName)]);
            Assert.Equal($"{type.Name} {Convert.ToBase64String(key.PublicKey)}", derived.Output.Trim());
            Assert.NotEmpty(key.Algorithms[0].Sign("data"u8));
        }
    }

    [Theory]
    [InlineData("rsa", "-b", "2048")]
    [InlineData("rsa", "-b", "4096")]
    [InlineData("ecdsa", "-b", "256")]
    public async Task Of_sshd_are_taken_over(string type, params string[] more)
    {
        var path = Path.Combine(_folder, $"ssh_host_{type}_key");
        await Programs.RunAsync("ssh-keygen", ["-q", "-t", type, "-N", "", "-f", path, .. more]);
        var listed = await Programs.RunAsync("ssh-keygen", ["-l", "-f", path + ".pub"]);

        Assert.Contains(HostKeyStore.Load(_folder, HostKeyType.All).Single().Fingerprint, listed.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_a_kind_that_the_suite_does_not_have_are_not_used()
    {
        HostKeyStore.Make(_folder, [HostKeyType.Ecdsa, HostKeyType.Ed25519]);

        Assert.Equal(["ssh-ed25519"], HostKeyStore.Load(_folder, AlgorithmSuite.Default.HostKeys).Select(key => key.Type));
    }

    [Fact]
    public async Task That_come_next_are_learned_by_the_client_before_they_are_used()
    {
        HostKeyStore.Make(_folder, [HostKeyType.Ed25519]);
        var inUse = Path.Combine(_folder, "ssh_host_ed25519_key");
        var next = Path.Combine(_folder, "ssh_host_ed25519_next_key");
        await Programs.RunAsync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", next]);
        await Programs.RunAsync("ssh-keygen", ["-q", "-t", "rsa", "-N", "", "-f", Path.Combine(_folder, "ssh_host_rsa_key")]);
        await using var server = await TestServer.StartAsync(
            (_, _) => Task.FromResult(0), options => options with { HostKeys = HostKeyStore.Load(_folder, HostKeyType.All) });
        Assert.Equal(0, (await server.SshAsync("first")).ExitCode);
        Assert.Equal(new ProgramResult(0, "", ""), await StrictlyAsync(server));

        File.Move(next, inUse, overwrite: true);
        File.Delete(Path.Combine(_folder, "ssh_host_rsa_key"));
        server.Server.UseHostKeys(HostKeyStore.Load(_folder, HostKeyType.All));

        Assert.Equal(new ProgramResult(0, "", ""), await StrictlyAsync(server));
        var known = await File.ReadAllLinesAsync(Path.Combine(server.Folder, "known_hosts"), TestContext.Current.CancellationToken);
        Assert.Contains(Convert.ToBase64String(HostKeyStore.Load(_folder, HostKeyType.All).Single().PublicKey), Assert.Single(known), StringComparison.Ordinal);
    }

    private static Task<ProgramResult> StrictlyAsync(TestServer server) => Programs.RunAsync("ssh",
    [
        .. server.SshArguments("-o", "UpdateHostKeys=yes").Select(argument =>
            argument.Replace("StrictHostKeyChecking=no", "StrictHostKeyChecking=yes", StringComparison.Ordinal)), "x",
    ]);
}
