using Piku.Core.Formats;
using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Tests.EndToEnd;

/// <summary>Somebody with an SSH key, OpenSSH and git, and a folder of their own.</summary>
public sealed class Client(string folder, PikuInstance instance)
{
    private string PrivateKey => Path.Combine(folder, "id_ed25519");

    public string PublicKey => PrivateKey + ".pub";

    public string Folder => folder;

    public EnvMap Environment => EnvMap.From([
        new("HOME", folder),
        new("PATH", Programs.SearchPath),
        new("GIT_CONFIG_NOSYSTEM", "1"),
        new("GIT_AUTHOR_NAME", "Ada"), new("GIT_AUTHOR_EMAIL", "ada@example.org"),
        new("GIT_COMMITTER_NAME", "Ada"), new("GIT_COMMITTER_EMAIL", "ada@example.org"),
        new("GIT_SSH_COMMAND", ShellWords.Join(["ssh", .. SshOptions])),
        new("GIT_TERMINAL_PROMPT", "0"),
    ]);

    /// <summary>
    /// With a key exchange and a cipher that cost a fraction of what OpenSSH likes best, sntrup761 and chacha20; those are for
    /// the tests of Ssh and Interop, with all others that clients have.
    /// </summary>
    public string[] SshOptions =>
    [
        "-F", "none", "-i", PrivateKey, "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o", "LogLevel=ERROR", "-o", "KexAlgorithms=curve25519-sha256", "-o", "Ciphers=aes128-gcm@openssh.com",
        "-o", $"ConnectTimeout={(int)Pace.Scale(TimeSpan.FromSeconds(10)).TotalSeconds}", "-o", "StrictHostKeyChecking=accept-new", "-o", $"UserKnownHostsFile={folder}/known_hosts",
    ];

    public async Task CreateKeyAsync()
    {
        Directory.CreateDirectory(folder);
        await Programs.RunAsync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "ada", "-f", PrivateKey]);
    }

    /// <summary>What <c>git push</c> and <c>git clone</c> call an app.</summary>
    public string Remote(string app) => $"ssh://piku@127.0.0.1:{instance.SshPort}/{app}";

    /// <summary>Runs a command of piku's. The words travel as one line, as ssh sends them.</summary>
    public Task<CapturedRun> SshAsync(params string[] words) => Programs.CaptureAsync(Ssh(words));

    /// <summary>A command of piku's that is not run yet; options of ssh may come first.</summary>
    public ProgramCall Ssh(params string[] words) => new()
    {
        Program = "ssh",
        Arguments = [.. SshOptions, "-p", $"{instance.SshPort}", "piku@127.0.0.1", .. words],
        Folder = folder,
        Environment = Environment,
    };

    /// <summary>Copies files to or from the server, which is called <c>piku@127.0.0.1</c>.</summary>
    public Task<CapturedRun> ScpAsync(params string[] arguments) => Programs.CaptureAsync(new ProgramCall
    {
        Program = "scp",
        Arguments = [.. SshOptions, "-P", $"{instance.SshPort}", .. arguments],
        Folder = folder,
        Environment = Environment,
    });

    /// <summary>Runs a command of piku's that must succeed, and returns what it printed.</summary>
    public async Task<string> CommandAsync(params string[] words)
    {
        var run = await SshAsync(words);
        Assert.True(run.Status.Succeeded, $"{string.Join(' ', words)}: {run.Status}\n{run.Output}{run.Error}");
        return run.Output;
    }

    public ProgramCall Git(string inFolder, params string[] arguments) =>
        new() { Program = "git", Arguments = arguments, Folder = inFolder, Environment = Environment };
}
