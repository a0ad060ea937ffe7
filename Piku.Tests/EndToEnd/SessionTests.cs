using System.IO.Pipelines;
using System.Text;
using Piku.Core.Machine;

namespace Piku.Tests.EndToEnd;

/// <summary>A person at a terminal, and one with files.</summary>
[NeedsMachine]
public sealed class SessionTests(RunningPiku shared) : IClassFixture<RunningPiku>
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private Client Client => shared.Piku.Client;

    [Fact]
    public async Task A_login_without_a_command_greets_in_lines_that_a_terminal_shows()
    {
        var run = await Client.SshAsync("-tt");
        Assert.True(run.Status.Succeeded, run.Error);
        Assert.Contains("ada", run.Output, StringComparison.Ordinal);
        Assert.Equal(run.Output.Count(c => c == '\n'), run.Output.Split("\r\n").Length - 1);
    }

    [Fact]
    public async Task A_shell_of_an_app_has_a_terminal_and_ends_with_its_client()
    {
        await (await Repository.FromExampleAsync(Client, "static", "terminal")).PushAsync();
        var screen = new StringBuilder();
        var keys = new Pipe();
        await using var ssh = await ChildProcess.StartAsync(Client.Ssh("-tt", "run", "terminal", "bash", "--norc") with
        {
            Environment = Client.Ssh().Environment.With("TERM", "xterm-256color"),
            Input = keys.Reader.AsStream(),
            Output = (bytes, _) =>
            {
                lock (screen)
                    screen.Append(Encoding.UTF8.GetString(bytes.Span));
                return ValueTask.CompletedTask;
            },
        });
        await TypeAsync("echo $TERM; tty; pwd\n");
        await ShowsAsync("xterm-256color\r\n");
        await ShowsAsync("/dev/pts/");
        await ShowsAsync("/apps/terminal\r\n");
        await TypeAsync("sleep 4711\n");
        await Eventually.TrueAsync(() => Programs.RunningWith("sleep\04711").Any());
        await TypeAsync("\x03");
        await Eventually.TrueAsync(() => !Programs.RunningWith("sleep\04711").Any());
        await TypeAsync("(trap '' HUP; exec sleep 4712) & sleep 4713\n");
        await Eventually.TrueAsync(() => Programs.RunningWith("sleep\04712").Any());

        await ssh.StopAsync(TimeSpan.Zero);

        await Eventually.TrueAsync(() => !Programs.RunningWith("sleep\0471").Any());

        async Task TypeAsync(string text) => await keys.Writer.WriteAsync(Encoding.UTF8.GetBytes(text), Cancelled);

        Task ShowsAsync(string text) => Eventually.TrueAsync(() => Screen().Contains(text, StringComparison.Ordinal), explain: Screen);

        string Screen()
        {
            lock (screen)
                return screen.ToString();
        }
    }

    [Fact]
    public async Task A_shell_of_an_app_is_like_a_login()
    {
        await (await Repository.FromExampleAsync(Client, "static", "login")).PushAsync();
        await using var screen = await Screen.StartAsync(Client.Ssh("-t", "run", "login", "bash", "--norc"));
        await screen.TypeAsync("bind 'set enable-bracketed-paste off'\n"); // of its marks between the lines
        await screen.TypeAsync("echo $(tput colors) colours of $(stty size)\n");
        await screen.ShowsAsync("256 colours of 30 90");
        screen.Resize(new(100, 40));
        await screen.TypeAsync("until [ \"$(stty size)\" = '40 100' ]; do sleep 0.05; done; echo now $(stty size)\n");
        await screen.ShowsAsync("now 40 100");

        await screen.TypeAsync("sleep 4721\n");
        await Eventually.TrueAsync(() => Programs.RunningWith("sleep\04721").Any());
        await screen.TypeAsync("\x1a");
        await screen.ShowsAsync("Stopped");
        await screen.TypeAsync("fg\n");
        await screen.ShowsAsync("fg\r\nsleep 4721\r\n"); // it names what it brings back
        await screen.TypeAsync("\x03");
        await Eventually.TrueAsync(() => !Programs.RunningWith("sleep\04721").Any());

        await screen.TypeAsync("exit 7\n");
        Assert.Equal(7, (await screen.Exit).Code);
    }

    [Fact]
    public async Task Programs_that_fill_the_screen_work()
    {
        await (await Repository.FromExampleAsync(Client, "static", "full")).PushAsync();
        await using var screen = await Screen.StartAsync(Client.Ssh("-t", "run", "full", "bash", "--norc"));
        await screen.TypeAsync("top; echo over $((1 + 1))\n");
        await screen.ShowsAsync("load average");
        await screen.TypeAsync("q");
        await screen.ShowsAsync("over 2");
        await screen.TypeAsync("vi -u NONE notes\n");
        await screen.ShowsAsync("\"notes\" [New");
        await screen.TypeAsync("ifrom the editor\x1b:wq\n");
        var notes = Path.Combine(shared.Piku.Paths.Apps, "full", "notes");
        await Eventually.TrueAsync(() => File.Exists(notes) && File.ReadAllText(notes) == "from the editor\n");
        await screen.TypeAsync("exit\n");
        Assert.True((await screen.Exit).Succeeded);
    }

    [Fact]
    public async Task A_signal_that_ends_a_program_is_its_status()
    {
        await (await Repository.FromExampleAsync(Client, "static", "signalled")).PushAsync();
        Assert.Equal(143, (await Client.SshAsync("-tt", "run", "signalled", "kill -TERM $$")).Status.Code);
        Assert.Equal(137, (await Client.SshAsync("run", "signalled", "kill -KILL $$")).Status.Code);
    }

    [Fact]
    public async Task Ctrl_C_ends_a_command_that_has_no_program()
    {
        await (await Repository.WithFilesAsync(Client, "followed", ("Procfile", "static: .\nworker: echo to follow; exec sleep 1000\n"))).PushAsync();
        await using var screen = await Screen.StartAsync(Client.Ssh("-tt", "logs", "followed"));
        await screen.ShowsAsync("to follow");
        await screen.TypeAsync("\x03");
        Assert.Equal(130, (await screen.Exit).Code);
    }

    [Theory]
    [InlineData]
    [InlineData("-O")]
    public async Task Files_of_an_app_come_and_go(params string[] options)
    {
        await (await Repository.FromExampleAsync(Client, "static", "files")).PushAsync();
        var up = await Client.ScpAsync([.. options, "/etc/hostname", "piku@127.0.0.1:/data/files/name"]);
        Assert.True(up.Status.Succeeded, up.Error);
        var down = await Client.ScpAsync([.. options, "piku@127.0.0.1:/data/files/name", "name"]);
        Assert.True(down.Status.Succeeded, down.Error);
        Assert.Equal(await File.ReadAllTextAsync("/etc/hostname", Cancelled), await File.ReadAllTextAsync(Path.Combine(Client.Folder, "name"), Cancelled));
        Assert.False((await Client.ScpAsync([.. options, "piku@127.0.0.1:/authorized_keys", "name"])).Status.Succeeded);
    }
}
