using System.Net;
using System.Security.Cryptography;
using System.Text;
using Piku.Server.Ssh;
using Piku.Server.Ssh.Authentication;
using Piku.Server.Ssh.Crypto;

namespace Piku.Tests.Ssh;

/// <summary>A server on a free port of the loopback, with its own folder and one authorized ed25519 key.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private TestServer(string folder) => Folder = folder;

    public string Folder { get; }

    public TestLog Log { get; } = new();

    public SshServer Server { get; private set; } = null!;

    public SshServerOptions Options { get; private set; } = null!;

    public IPEndPoint EndPoint => Server.BoundEndPoints[0];

    public string AuthorizedKeysFile => Path.Combine(Folder, "authorized_keys");

    /// <summary>The client's key that may come in.</summary>
    public string Key => Path.Combine(Folder, "client");

    public static async Task<TestServer> StartAsync(
        Func<SshSession, CancellationToken, Task<int>> handler, Func<SshServerOptions, SshServerOptions>? configure = null, CheckKeyLine? check = null)
    {
        var test = new TestServer(Directory.CreateTempSubdirectory("piku-ssh-").FullName);
        await test.MakeKeyAsync("client", "ed25519");
        File.Copy(test.Key + ".pub", test.AuthorizedKeysFile);
        test.Options = new SshServerOptions
        {
            EndPoints = [new IPEndPoint(IPAddress.Loopback, 0)],
            HostKeys = MakeHostKeys(Path.Combine(test.Folder, "host"), HostKeyType.Ed25519),
            AuthorizedKeys = new AuthorizedKeys(test.AuthorizedKeysFile, "piku.py", check, TimeProvider.System, test.Log.For<AuthorizedKeys>()),
        };
        if (configure is not null)
            test.Options = configure(test.Options);
        test.Server = new SshServer(test.Options, handler, test.Log.For<SshServer>());
        await test.Server.StartAsync(TestContext.Current.CancellationToken);
        return test;
    }

    /// <summary>Makes host keys of these kinds.</summary>
    public static IReadOnlyList<HostKey> MakeHostKeys(string folder, params HostKeyType[] types)
    {
        HostKeyStore.Make(folder, types);
        return HostKeyStore.Load(folder, types);
    }

    /// <summary>Makes a key pair with ssh-keygen; its comment is its name.</summary>
    public async Task<string> MakeKeyAsync(string name, string type, params string[] more)
    {
        var path = Path.Combine(Folder, name);
        var made = await Programs.RunAsync("ssh-keygen", ["-q", "-t", type, "-N", "", "-C", name, "-f", path, .. more]);
        Assert.Equal((0, ""), (made.ExitCode, made.Error));
        return path;
    }

    /// <summary>The arguments of ssh for this server, up to the host.</summary>
    public IReadOnlyList<string> SshArguments(params string[] more) =>
    [
        "-F", "none", "-p", $"{EndPoint.Port}", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no",
        "-o", "UserKnownHostsFile=" + Path.Combine(Folder, "known_hosts"), "-o", "LogLevel=ERROR",
        "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none", .. more.Contains("-i") ? [] : (string[])["-i", Key], .. more, "alice@" + EndPoint.Address,
    ];

    /// <summary>Runs the OpenSSH client to its end.</summary>
    public Task<ProgramResult> SshAsync(string command, string input = "", params string[] options) =>
        Programs.RunAsync("ssh", [.. SshArguments(options), command], Encoding.UTF8.GetBytes(input));

    /// <summary>The SHA-256 of all that a command puts out, however much it is.</summary>
    public async Task<byte[]> HashOfOutputAsync(string command, params string[] options)
    {
        using var ssh = Programs.Start("ssh", [.. SshArguments(options), command]);
        ssh.StandardInput.Close();
        var hash = await SHA256.HashDataAsync(ssh.StandardOutput.BaseStream, TestContext.Current.CancellationToken);
        await ssh.WaitForExitAsync(TestContext.Current.CancellationToken);
        return hash;
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }
}
