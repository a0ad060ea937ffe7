using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Piku.Server.Ssh;
using Piku.Server.Ssh.Crypto;

namespace Piku.Tests.Ssh;

/// <summary>Each algorithm with the OpenSSH client, and what others say of the lot.</summary>
[NeedsMachine]
public sealed class Algorithms
{
    private const int Transfer = 3 * 1024 * 1024;

    public static TheoryData<string> Exchanges() => [.. AlgorithmSuite.Compatible.Kex.Select(kex => kex.Name).Where(IsKnownToSsh)];

    public static TheoryData<string, string> Protections() =>
    [
        .. AlgorithmSuite.Compatible.Ciphers.SelectMany(cipher =>
            (cipher.NeedsMac ? AlgorithmSuite.Compatible.Macs : AlgorithmSuite.Compatible.Macs.Take(1)).Select(mac => (cipher.Name, mac.Name))),
    ];

    [Theory]
    [MemberData(nameof(Exchanges))]
    public Task Every_exchange_holds_while_both_sides_change_keys_under_data(string kex) =>
        TransferWhileKeysChangeAsync("-o", "KexAlgorithms=" + kex);

    [Theory]
    [MemberData(nameof(Protections))]
    public Task Every_cipher_and_MAC_holds_while_both_sides_change_keys_under_data(string cipher, string mac) =>
        TransferWhileKeysChangeAsync("-c", cipher, "-m", mac, "-o", "KexAlgorithms=curve25519-sha256");

    [Theory]
    [InlineData("default", "chacha20-poly1305@openssh.com", "hmac-sha2-512-etm@openssh.com")]
    [InlineData("default", "aes128-ctr", "hmac-sha2-256-etm@openssh.com")]
    [InlineData("compatible", "aes256-ctr", "hmac-sha2-512")]
    public async Task Keys_change_when_they_are_old(string suite, string cipher, string mac)
    {
        await using var server = await StartAsync(Suite(suite), new SshLimits { RekeyAfter = TimeSpan.FromMilliseconds(1) });

        var result = await Programs.RunAsync("ssh", [.. server.SshArguments("-vv", "-c", cipher, "-m", mac), "echo"], new byte[100_000]);

        Assert.Equal(100_000, result.Output.Length);
        Assert.True(result.Error.Split("SSH2_MSG_NEWKEYS received").Length > 2, "there was no second exchange");
    }

    [Fact]
    public async Task OpenSSH_chooses_a_post_quantum_exchange_and_has_nothing_to_say()
    {
        await using var server = await StartAsync(AlgorithmSuite.Default);

        var verbose = await Programs.RunAsync("ssh", [.. server.SshArguments("-v", "-o", "StrictHostKeyChecking=accept-new"), "echo"]);
        var plain = await Programs.RunAsync("ssh", [.. server.SshArguments("-o", "LogLevel=INFO"), "echo"]);

        Assert.Matches("kex: algorithm: (sntrup761|mlkem768)x25519-", verbose.Error);
        Assert.Equal("", plain.Error);
    }

    [Theory]
    [InlineData("ssh-ed25519", "default")]
    [InlineData("rsa-sha2-512", "default")]
    [InlineData("rsa-sha2-256", "default")]
    [InlineData("ecdsa-sha2-nistp256", "compatible")]
    public async Task Every_host_key_proves_itself(string algorithm, string suite)
    {
        await using var server = await StartAsync(Suite(suite));

        var result = await server.SshAsync("echo", "hello", "-o", "HostKeyAlgorithms=" + algorithm, "-o", "StrictHostKeyChecking=accept-new");

        Assert.Equal(new ProgramResult(0, "hello", ""), result);
    }

    [Theory]
    [InlineData("KexAlgorithms=ecdh-sha2-nistp256")]
    [InlineData("HostKeyAlgorithms=ecdsa-sha2-nistp256")]
    [InlineData("Ciphers=aes128-ctr", "-o", "MACs=hmac-sha2-256")]
    public async Task What_only_older_clients_need_is_not_there_by_default(string option, params string[] more)
    {
        await using var server = await StartAsync(AlgorithmSuite.Default);
        await using var compatible = await StartAsync(AlgorithmSuite.Compatible);

        Assert.Equal(255, (await server.SshAsync("echo", "", ["-o", option, .. more])).ExitCode);
        Assert.Equal(0, (await compatible.SshAsync("echo", "", ["-o", option, .. more])).ExitCode);
    }

    [Fact]
    public async Task ssh_audit_finds_no_fault_with_the_default()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/ssh-audit"), "ssh-audit is not installed");
        await using var server = await StartAsync(AlgorithmSuite.Default);

        var audit = await Programs.RunAsync("ssh-audit", ["-n", "-p", $"{server.EndPoint.Port}", $"{server.EndPoint.Address}"]);

        Assert.Contains("(key) rsa-sha2-512", audit.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(audit.Output.Split('\n'), line =>
            (line.Contains("[fail]", StringComparison.Ordinal) || line.Contains("[warn]", StringComparison.Ordinal))
            // Of 2022, Debian 12's version does not know these names, or calls them experimental.
            && !line.Contains("(kex) sntrup761x25519-sha512", StringComparison.Ordinal)
            && !line.Contains("(kex) kex-strict-s-v00@openssh.com", StringComparison.Ordinal));
    }

    [Fact(Explicit = true)]
    public void Measure_the_servers_part_of_each_exchange()
    {
        var owner = new Sntrup761Owner(bytes => RandomNumberGenerator.Fill(bytes));
        using var x25519 = X25519.Generate();
        foreach (var kex in AlgorithmSuite.Compatible.Kex)
        {
            byte[] share = kex.Name switch
            {
                _ when kex.Name.StartsWith("sntrup", StringComparison.Ordinal) => [.. owner.PublicKey, .. x25519.PublicKey],
                _ when kex.Name.StartsWith("curve", StringComparison.Ordinal) => x25519.PublicKey,
                _ when kex.Name.StartsWith("ecdh", StringComparison.Ordinal) => NistShare(kex.Name),
                _ => [],
            };
            if (share.Length == 0)
                continue;
            for (var i = 0; i < 300; i++)
                kex.Answer(share);
            var start = Stopwatch.GetTimestamp();
            for (var i = 0; i < 200; i++)
                kex.Answer(share);
            TestContext.Current.TestOutputHelper!.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{kex.Name}: {Stopwatch.GetElapsedTime(start).TotalMilliseconds / 200:0.000} ms"));
        }
    }

    private static byte[] NistShare(string name)
    {
        using var key = ECDiffieHellman.Create(ECCurve.CreateFromFriendlyName("nistP" + name[^3..]));
        return EcdsaKey.Bytes(key.ExportParameters(includePrivateParameters: false).Q);
    }

    private static async Task TransferWhileKeysChangeAsync(params string[] options)
    {
        var data = new byte[Transfer];
        new Random(7).NextBytes(data);
        await using var server = await StartAsync(AlgorithmSuite.Compatible, new SshLimits { RekeyBytes = 1024 * 1024 });

        var result = await Programs.RunAsync("ssh", [.. server.SshArguments(["-o", "RekeyLimit=1M", .. options]), "echo"], data);

        Assert.Equal("", result.Error);
        Assert.Equal(SHA256.HashData(data), SHA256.HashData(Encoding.Latin1.GetBytes(result.Output)));
    }

    private static Task<TestServer> StartAsync(AlgorithmSuite suite, SshLimits? limits = null) => TestServer.StartAsync(
        async (session, cancellationToken) =>
        {
            await session.Input.CopyToAsync(session.Output, cancellationToken);
            return 0;
        },
        options => options with
        {
            Algorithms = suite,
            Limits = limits ?? new(),
            HostKeys = [.. suite.HostKeys.Select(SharedKey)],
        });

    // One RSA key for all tests: making it takes long.
    private static HostKey SharedKey(HostKeyType type)
    {
        lock (Made)
            return Made.TryGetValue(type, out var key) ? key : Made[type] = HostKeyFile.Parse(HostKeyFile.Generate(type));
    }

    private static readonly Dictionary<HostKeyType, HostKey> Made = [];

    private static AlgorithmSuite Suite(string name) => name == "default" ? AlgorithmSuite.Default : AlgorithmSuite.Compatible;

    private static bool IsKnownToSsh(string kex)
    {
        using var ssh = Process.Start(new ProcessStartInfo("ssh", ["-Q", "kex"]) { RedirectStandardOutput = true })!;
        return ssh.StandardOutput.ReadToEnd().Split('\n').Contains(kex);
    }
}
