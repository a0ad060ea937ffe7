using System.Net;
using System.Net.Sockets;
using Piku.Core.Formats;
using Piku.Core.Machine;

namespace Piku.Tests.EndToEnd;

/// <summary>packaging/client/piku under dash, with real ssh against the daemon.</summary>
[NeedsMachine]
public sealed class ClientScriptTests(ClientScriptTests.DeployedApp shared) : IClassFixture<ClientScriptTests.DeployedApp>, IAsyncLifetime
{
    private static readonly string Script = Path.Combine(SourceTree.Root, "packaging", "client", "piku");

    /// <summary>A working copy with no remote yet.</summary>
    private string _folder = "";

    private Client Ada => shared.Piku.Client;

    private static string App => DeployedApp.Name;

    public async ValueTask InitializeAsync()
    {
        _folder = Directory.CreateDirectory(Path.Combine(Ada.Folder, Path.GetRandomFileName())).FullName;
        await Programs.RunAsync("git", ["init", "--quiet", _folder]);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>One app for all of these tests.</summary>
    public sealed class DeployedApp : RunningPiku
    {
        public const string Name = "of-the-client";

        protected override async Task PrepareAsync()
        {
            var repository = await Repository.WithFilesAsync(
                Piku.Client, Name, ("Procfile", "worker: sleep 1000\n"), ("package.json", "{}"), ("sub/a file.txt", "content\n"));
            await repository.PushAsync();
        }
    }

    [Fact]
    public async Task The_remote_of_the_folder_says_which_server_and_app()
    {
        await RemoteAsync("piku", Ada.Remote(App));
        Assert.Equal("worker:1\n", await PikuAsync("ps"));
        Assert.Contains($"*{App}\n", await PikuAsync("apps"), StringComparison.Ordinal);

        await RemoteAsync("other", Ada.Remote("absent") + ".git");
        Assert.Equal((1, "Error: app 'absent' not found.\n"), await FailAsync("-r", "other", "ps"));
        Assert.Equal((1, "Error: app 'absent' not found.\n"), await FailAsync("--remote", "other", "ps"));
    }

    [Theory]
    [InlineData("piku@127.0.0.1", "", true)]
    [InlineData("ssh://piku@127.0.0.1:{0}", "", false)]
    [InlineData("ssh://piku@127.0.0.1:{0}/", "", false)]
    [InlineData("piku@127.0.0.1:{0}", "", false)]
    [InlineData("ssh://piku@127.0.0.1:{0}/{1}.git", null, false)]
    public async Task The_environment_can_say_it_too(string server, string? app, bool withPort)
    {
        var call = Call(withPort ? ["-p", $"{shared.Piku.SshPort}", "ps"] : ["ps"]);
        var environment = call.Environment.With("PIKU_SERVER", string.Format(null, server, shared.Piku.SshPort, App));
        var run = await Programs.CaptureAsync(call with { Environment = app is null ? environment : environment.With("PIKU_APP", App) });
        Assert.Equal((0, "worker:1\n", ""), (run.Status.Code, run.Output, run.Error));
    }

    [Fact]
    public async Task A_remote_comes_before_the_environment()
    {
        await RemoteAsync("piku", Ada.Remote(App));
        var call = Call("ps");
        var run = await Programs.CaptureAsync(call with { Environment = call.Environment.With("PIKU_SERVER", "nobody@nowhere.invalid").With("PIKU_APP", "absent") });
        Assert.Equal((0, "worker:1\n", ""), (run.Status.Code, run.Output, run.Error));
    }

    [Fact]
    public async Task Bash_reads_it_as_dash_does()
    {
        await RemoteAsync("piku", Ada.Remote(App));
        foreach (var words in (string[][])[["ps"], ["run", "echo", "'two  words'"], ["help"]])
        {
            var (dash, bash) = (await Programs.CaptureAsync(Call(words)), await Programs.CaptureAsync(Call(words) with { Program = "bash" }));
            Assert.Equal((dash.Status.Code, dash.Output, dash.Error), (bash.Status.Code, bash.Output, bash.Error));
            Assert.True(bash.Status.Succeeded, bash.Error);
        }
    }

    [Theory]
    [InlineData("piku@127.0.0.1:{1}")]
    [InlineData("piku@127.0.0.1:/{1}.git")]
    [InlineData("127.0.0.1:{1}")]
    [InlineData("piku@[127.0.0.1]:{1}")]
    public async Task Remotes_in_the_manner_of_scp_work(string remote)
    {
        await RemoteAsync("piku", string.Format(null, remote, "", App));
        Assert.Equal("worker:1\n", await PikuAsync("-p", $"{shared.Piku.SshPort}", "ps"));
    }

    [Fact]
    public async Task Words_arrive_as_they_were_typed()
    {
        await RemoteAsync("piku", Ada.Remote(App));
        string[] values = ["two  words", "it's", "\"quoted\"", "$5 `id` $(id)", "back\\slash", "-x", "a;b|c>d"];
        await PikuAsync(["config:set", .. values.Select((value, index) => $"A{index}={value}")]);
        Assert.Equal(string.Concat(values.Select((value, index) => $"A{index}={value}\n")), await PikuAsync("run", "env | grep '^A[0-9]=' | sort"));
        Assert.Equal((7, ""), await FailAsync("run", "exit 7"));
        Assert.Equal((2, 2), ((await FailAsync("ps", "-x")).Status, (await FailAsync("nonsense")).Status));
    }

    [Fact]
    public async Task Init_makes_files_and_the_remote_and_overwrites_nothing()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "ENV"), "MINE=1\n", TestContext.Current.CancellationToken);
        await PikuAsync("init", Ada.Remote("fresh"));
        Assert.Equal("MINE=1\n", await File.ReadAllTextAsync(Path.Combine(_folder, "ENV"), TestContext.Current.CancellationToken));
        Assert.Equal("web", Assert.Single(Procfile.Parse(await File.ReadAllTextAsync(Path.Combine(_folder, "Procfile"), TestContext.Current.CancellationToken)).Entries).Kind);
        Assert.Equal(Ada.Remote("fresh") + "\n", (await Programs.CaptureAsync(Ada.Git(_folder, "config", "--get", "remote.piku.url"))).Output);
    }

    [Theory]
    [InlineData("shell", "-p 22 piku@host run blog bash")]
    [InlineData("tmux", "-p 22 piku@host run blog command -v tmux >/dev/null || { echo 'tmux is not installed on the server: apt install tmux' >&2; exit 1; }; exec tmux new-session -A -s blog")]
    [InlineData("-v -p 23 run ls -l", "-p 23 -v piku@host run blog ls -l")]
    [InlineData("download public/logo.svg", "-r -P 22 piku@host:apps/blog/public/logo.svg .")]
    [InlineData("-p 23 download logs /tmp", "-r -P 23 piku@host:apps/blog/logs /tmp")]
    [InlineData("download a b c .", "-r -P 22 piku@host:apps/blog/a piku@host:apps/blog/b piku@host:apps/blog/c .")]
    [InlineData("deploys", "-p 22 piku@host deploys")]
    [InlineData("--version", "-p 22 piku@host version")]
    [InlineData("tunnel 8000", "-p 22 -N -o ExitOnForwardFailure=yes -L 127.0.0.1:8000:127.0.0.1:8000 piku@host")]
    [InlineData("tunnel 9000:8000", "-p 22 -N -o ExitOnForwardFailure=yes -L 127.0.0.1:9000:127.0.0.1:8000 piku@host")]
    [InlineData("keys:show bob", "-p 22 piku@host keys:show bob")]
    [InlineData("update", "-p 22 piku@host update")]
    public async Task What_is_asked_of_ssh_and_scp_is_what_they_understand(string typed, string arguments)
    {
        await RemoteAsync("piku", "ssh://piku@host:22/blog");
        var run = await Programs.CaptureAsync(new ProgramCall
        {
            Program = "dash",
            Arguments = [Script, .. typed.Split(' ')],
            Folder = _folder,
            Environment = Ada.Environment.With("PIKU_SSH", "echo").With("PIKU_SCP", "echo"),
        });
        Assert.Equal((0, arguments + "\n"), (run.Status.Code, run.Output));
    }

    [Fact]
    public async Task A_shell_has_the_app_s_environment_and_its_status_is_the_client_s()
    {
        await RemoteAsync("piku", Ada.Remote(App));
        await PikuAsync("config:set", "COLOUR=green");
        var run = await Programs.CaptureAsync(Call("shell") with { Input = new MemoryStream("echo $APP $COLOUR; pwd; exit 3\n"u8.ToArray()) });
        Assert.Equal((3, $"{App} green\n{shared.Piku.Paths.Apps}/{App}\n"), (run.Status.Code, run.Output));
    }

    [Fact]
    public async Task A_shell_at_a_terminal_is_one()
    {
        await RemoteAsync("piku", Ada.Remote(App));
        await using var screen = await Screen.StartAsync(Call("shell"));
        await screen.TypeAsync("tty; stty size; echo on $((40+2))\n");
        await screen.ShowsAsync("/dev/pts/");
        await screen.ShowsAsync("30 90");
        await screen.ShowsAsync("on 42");
        await screen.TypeAsync("exit 5\n");
        Assert.Equal(5, (await screen.Exit).Code);
    }

    [Fact]
    public async Task A_tunnel_leads_to_a_port_of_the_server()
    {
        await RemoteAsync("piku", Ada.Remote(App));
        using var far = new TcpListener(IPAddress.Loopback, 0);
        far.Start();
        var near = FreePorts.Find(1, new HashSet<int>())[0];
        await using var tunnel = await ChildProcess.StartAsync(Call("tunnel", $"{near}:{((IPEndPoint)far.LocalEndpoint).Port}"));
        using var client = new TcpClient();
        await Eventually.TrueAsync(async () =>
        {
            Assert.False(tunnel.Exit.IsCompleted);
            try
            {
                await client.ConnectAsync(IPAddress.Loopback, near, TestContext.Current.CancellationToken);
                return true;
            }
            catch (SocketException)
            {
                return false;
            }
        });
        using var server = await far.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        await client.GetStream().WriteAsync("ping"u8.ToArray(), TestContext.Current.CancellationToken);
        var heard = new byte[4];
        await server.GetStream().ReadExactlyAsync(heard, TestContext.Current.CancellationToken);
        Assert.Equal("ping"u8, heard);

        await tunnel.StopAsync(TimeSpan.FromSeconds(5));
        using var late = new TcpClient();
        await Assert.ThrowsAnyAsync<SocketException>(() => late.ConnectAsync(IPAddress.Loopback, near, TestContext.Current.CancellationToken).AsTask());
    }

    [Fact]
    public async Task Files_and_folders_of_the_app_are_downloaded()
    {
        await RemoteAsync("piku", Ada.Remote(App));
        await PikuAsync("download", "sub/a file.txt");
        Assert.Equal("content\n", await File.ReadAllTextAsync(Path.Combine(_folder, "a file.txt"), TestContext.Current.CancellationToken));
        await PikuAsync("download", "sub", "here");
        Assert.Equal("content\n", await File.ReadAllTextAsync(Path.Combine(_folder, "here", "a file.txt"), TestContext.Current.CancellationToken));
        Assert.Contains("absent", (await FailAsync("download", "absent")).Error, StringComparison.Ordinal);
        Assert.Equal(2, (await FailAsync("download")).Status);

        // Several at once go to a folder, and never onto each other.
        await PikuAsync("download", "Procfile", "sub/a file.txt", "here");
        Assert.Equal("worker: sleep 1000\n", await File.ReadAllTextAsync(Path.Combine(_folder, "here", "Procfile"), TestContext.Current.CancellationToken));
        var wrong = await FailAsync("download", "Procfile", "package.json", "absent");
        Assert.Equal(2, wrong.Status);
        Assert.Contains("must be a folder that is there, which 'absent' is not", wrong.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(_folder, "package.json")));
    }

    [Fact]
    public async Task A_tunnel_of_a_key_that_may_open_none_is_refused_before_it_says_that_it_works()
    {
        var bob = new Client(Path.Combine(_folder, "bob"), shared.Piku);
        await bob.CreateKeyAsync();
        await using (var key = File.OpenRead(bob.PublicKey))
            Assert.True((await Programs.CaptureAsync(Ada.Ssh("keys:add", "bob", "--role", "deployer") with { Input = key })).Status.Succeeded);
        await RemoteAsync("piku", Ada.Remote(App));
        var call = Call("tunnel", "8000");
        var run = await Programs.CaptureAsync(call with { Arguments = [Script, .. bob.SshOptions, "tunnel", "8000"] });
        Assert.Equal((1, ""), (run.Status.Code, run.Output));
        Assert.Contains("your key may not forward ports", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("leads to", run.Error, StringComparison.Ordinal);
        await Ada.CommandAsync("keys:remove", "bob");
    }

    [Fact]
    public async Task Help_and_init_say_what_they_can_without_a_server_or_a_repository()
    {
        foreach (var word in (string[])["-h", "--help"])
        {
            var help = await Programs.CaptureAsync(Call() with { Arguments = [Script, word] });
            Assert.Equal(0, help.Status.Code);
            Assert.Contains("Usage: piku", help.Output, StringComparison.Ordinal);
            Assert.Contains("download FILE", help.Output, StringComparison.Ordinal);
        }
        Directory.Delete(Path.Combine(_folder, ".git"), recursive: true);
        var init = await FailAsync("init", Ada.Remote("fresh"));
        Assert.Equal((1, "piku: this folder is not a git repository, so it cannot have a remote: run 'git init' first.\n"), init);
        Assert.Empty(Directory.GetFiles(_folder));
    }

    [Theory]
    [InlineData(false, false, "windows -p 22 piku@host ps blog\n")]
    [InlineData(true, false, "linux -p 22 piku@host ps blog\n")]
    [InlineData(false, true, "linux -p 22 piku@host ps blog\n")]
    public async Task In_WSL_the_ssh_that_has_the_keys_is_used(bool hasKey, bool hasAgent, string called)
    {
        await RemoteAsync("piku", "ssh://piku@host:22/blog");
        var home = Directory.CreateDirectory(Path.Combine(_folder, "home", ".ssh")).Parent!.FullName;
        if (hasKey)
            await File.WriteAllTextAsync(Path.Combine(home, ".ssh", "id_ed25519"), "", TestContext.Current.CancellationToken);
        foreach (var (program, system) in ((string, string)[])[("ssh", "linux"), ("ssh.exe", "windows")])
        {
            await File.WriteAllTextAsync(Path.Combine(home, program), $"#!/bin/sh\necho {system} \"$@\"\n", TestContext.Current.CancellationToken);
            File.SetUnixFileMode(Path.Combine(home, program), AtomicFile.Executable);
        }
        var environment = Ada.Environment.With("HOME", home).With("PATH", $"{home}:{Programs.SearchPath}").With("WSL_DISTRO_NAME", "Debian");
        var call = Call("ps") with { Arguments = [Script, "ps"], Environment = hasAgent ? environment.With("SSH_AUTH_SOCK", "/agent") : environment };
        Assert.Equal(called, (await Programs.CaptureAsync(call)).Output);
    }

    [Theory]
    [InlineData("ssh://piku@[::1]:2222/blog", "-p 2222 piku@::1 ps blog")]
    [InlineData("ssh://[::1]/blog.git", "::1 ps blog")]
    [InlineData("piku@[::1]:blog", "piku@::1 ps blog")]
    [InlineData("ssh://host/blog", "host ps blog")]
    [InlineData("alias:blog", "alias ps blog")]
    [InlineData("ssh://host/~/blog", "host ps blog")]
    [InlineData("alias:./blog.git", "alias ps blog")]
    public async Task A_remote_is_read_as_git_reads_it(string remote, string arguments)
    {
        await RemoteAsync("piku", remote);
        var call = Call("ps") with { Arguments = [Script, "ps"], Environment = Ada.Environment.With("PIKU_SSH", "echo") };
        Assert.Equal(arguments + "\n", (await Programs.CaptureAsync(call)).Output);
    }

    [Fact]
    public async Task A_plugin_of_the_client_is_a_command()
    {
        await RemoteAsync("piku", Ada.Remote(App));
        var plugins = Directory.CreateDirectory(Path.Combine(Ada.Folder, ".piku", "client-plugins")).FullName;
        var plugin = Path.Combine(plugins, "where");
        await File.WriteAllTextAsync(plugin, "#!/bin/sh\necho \"$PIKU_SERVER $PIKU_PORT $PIKU_APP: $*\"\n", TestContext.Current.CancellationToken);
        File.SetUnixFileMode(plugin, AtomicFile.Executable);
        var context = $"piku@127.0.0.1 {shared.Piku.SshPort} {App}: piku@127.0.0.1 {App}";
        Assert.Equal($"{context} where a b\n", await PikuAsync("where", "a", "b"));
        Assert.Equal($"{context} where:stop\n", await PikuAsync("where:stop"));
        Assert.Contains("  where\n", await PikuAsync("help"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Help_is_the_server_s_and_its_own()
    {
        await RemoteAsync("piku", Ada.Remote(App));
        foreach (var words in (string[][])[[], ["help"], ["--help"], ["-h"]])
        {
            var text = await PikuAsync(words);
            Assert.Contains("config:set APP", text, StringComparison.Ordinal);
            Assert.Contains("tunnel [[LOCAL:]PORT]", text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task What_is_missing_is_said()
    {
        Assert.Contains("git remote add piku", (await FailAsync("ps")).Error, StringComparison.Ordinal);
        await RemoteAsync("piku", "piku@127.0.0.1");
        Assert.Contains("which app?", (await FailAsync("ps")).Error, StringComparison.Ordinal);
        await RemoteAsync("evil", "-oProxyCommand=touch${IFS}owned:app");
        Assert.Contains("is not a server", (await FailAsync("-r", "evil", "ps")).Error, StringComparison.Ordinal);
        Assert.Contains("is not a command", (await FailAsync("../x")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Shellcheck_has_nothing_to_say()
    {
        Assert.SkipUnless(Tools.Find("shellcheck", Programs.SearchPath) is not null, "shellcheck is not installed");
        await Programs.RunAsync("shellcheck", ["-s", "sh", Script]);
    }

    /// <summary>The test's own key is named by options for ssh, which come before the command, as a person would give them.</summary>
    private ProgramCall Call(params string[] words)
    {
        var own = words is ["-r" or "--remote", ..] ? 2 : 0;
        return new()
        {
            Program = "dash",
            Arguments = [Script, .. words[..own], .. Ada.SshOptions, .. words[own..]],
            Folder = _folder,
            Environment = Ada.Environment,
        };
    }

    private async Task<string> PikuAsync(params string[] words)
    {
        var run = await Programs.CaptureAsync(Call(words));
        Assert.True(run.Status.Succeeded, $"{ShellWords.Join(words)}: {run.Status}\n{run.Output}{run.Error}");
        return run.Output;
    }

    private async Task<(int Status, string Error)> FailAsync(params string[] words)
    {
        var run = await Programs.CaptureAsync(Call(words));
        Assert.False(run.Status.Succeeded, run.Output);
        return (run.Status.Code, run.Error);
    }

    private Task RemoteAsync(string name, string url) =>
        File.AppendAllTextAsync(Path.Combine(_folder, ".git", "config"), $"[remote \"{name}\"]\n\turl = {url}\n", TestContext.Current.CancellationToken);
}
