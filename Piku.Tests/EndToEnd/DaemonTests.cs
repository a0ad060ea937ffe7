using System.IO.Pipelines;
using System.Text;
using Piku.Core.Formats;
using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Tests.EndToEnd;

/// <summary>The life of the daemon itself, each test with one of its own.</summary>
[NeedsMachine]
public sealed class DaemonTests
{
    [Fact]
    public async Task After_a_kill_every_app_comes_back()
    {
        await using var piku = await PikuInstance.StartAsync();
        using var browser = new Browser(piku);
        var python = await Repository.FromExampleAsync(piku.Client, "python-wsgi", "python");
        var node = await Repository.FromExampleAsync(piku.Client, "node-web", "node");
        await python.PushAsync();
        await node.PushAsync();
        await piku.Client.CommandAsync("config:set", "node", "GREETING=Kept");
        await browser.AssertSaysAsync(browser.Http(node.Host), "Kept");

        await piku.KillDaemonAsync();
        await piku.StartDaemonAsync();

        await browser.AssertSaysAsync(browser.Http(python.Host), "version 1");
        await browser.AssertSaysAsync(browser.Https(node.Host), "Kept");
        Assert.Equal(await python.HeadAsync(), await python.RemoteHeadAsync());
        python.Replace("app.py", "VERSION = \"1\"", "VERSION = \"2\"");
        await python.PushAsync();
        await browser.AssertSaysAsync(browser.Http(python.Host), "version 2");
    }

    [Fact]
    public async Task A_stopped_app_stays_stopped_across_a_restart()
    {
        await using var piku = await PikuInstance.StartAsync();
        using var browser = new Browser(piku);
        var app = await Repository.FromExampleAsync(piku.Client, "python-wsgi", "asleep");
        await app.PushAsync();
        await piku.Client.CommandAsync("stop", "asleep");
        await browser.AssertGoneAsync(app.Host);

        Assert.True((await piku.StopDaemonAsync()).Succeeded, piku.Output);
        await piku.StartDaemonAsync();

        await browser.AssertGoneAsync(app.Host);
        await piku.Client.CommandAsync("restart", "asleep");
        await browser.AssertSaysAsync(browser.Http(app.Host), "version 1");
    }

    [Fact]
    public async Task Stopping_it_stops_everything()
    {
        await using var piku = await PikuInstance.StartAsync();
        var app = await Repository.FromExampleAsync(piku.Client, "worker-cron", "gone");
        await app.PushAsync();

        Assert.True((await piku.StopDaemonAsync()).Succeeded, piku.Output);

        await Eventually.TrueAsync(
            () => !piku.Processes().Any() && !Programs.RunningWith("worker.py").Any(pid => Works(pid, piku.Paths.Root)),
            TimeSpan.FromSeconds(10), () => $"still there: {string.Join(' ', piku.Processes())}");

        static bool Works(int process, string root) =>
            File.ResolveLinkTarget($"/proc/{process}/cwd", returnFinalTarget: false)?.FullName.StartsWith(root, StringComparison.Ordinal) == true;
    }

    [Fact]
    public async Task Two_instances_run_side_by_side()
    {
        await using var left = await PikuInstance.StartAsync();
        await using var right = await PikuInstance.StartAsync();
        using var leftBrowser = new Browser(left);
        using var rightBrowser = new Browser(right);
        var one = await Repository.FromExampleAsync(left.Client, "python-wsgi", "same");
        var two = await Repository.FromExampleAsync(right.Client, "python-wsgi", "same");
        two.Replace("app.py", "VERSION = \"1\"", "VERSION = \"right\"");
        await one.PushAsync();
        await two.PushAsync();

        await leftBrowser.AssertSaysAsync(leftBrowser.Http(one.Host), "version 1");
        await rightBrowser.AssertSaysAsync(rightBrowser.Http(two.Host), "version right");
        await left.Client.CommandAsync("destroy", "same");
        await rightBrowser.AssertSaysAsync(rightBrowser.Https(two.Host), "version right");
    }

    [Fact]
    public async Task Nothing_it_starts_runs_as_root()
    {
        await using var piku = await PikuInstance.StartAsync();
        var app = await Repository.FromExampleAsync(piku.Client, "worker-cron", "humble");
        await app.PushAsync();
        var owners = piku.Processes().Concat(Programs.RunningWith("worker.py")).Select(OwnerOf).ToArray();
        Assert.NotEmpty(owners);
        Assert.DoesNotContain(0, owners);

        static int OwnerOf(int process) => File.ReadLines($"/proc/{process}/status")
            .Where(line => line.StartsWith("Uid:", StringComparison.Ordinal)).Select(line => int.Parse(line.Split('\t')[2])).First();
    }

    /// <summary>Who can open it can type into it (ioctl_tty(2), TIOCSTI), for root, who has started piku there.</summary>
    [Fact]
    public async Task Apps_have_nothing_of_the_terminal_that_it_was_started_from()
    {
        await using var piku = await PikuInstance.StartAsync();
        var app = await Repository.WithFilesAsync(piku.Client, "typist", ("Procfile", "worker: exec sleep 1000\n"), ("package.json", "{}"));
        await app.PushAsync();
        Assert.True((await piku.StopDaemonAsync()).Succeeded, piku.Output);
        var shown = new MemoryStream();
        var keyboard = new Pipe();
        var serve = piku.Local("serve");
        await using var terminal = await TerminalProcess.StartAsync(
            serve with
            {
                Program = "/bin/sh",
                Arguments = ["-c", $"trap : INT; {ShellWords.Join([serve.Program, .. serve.Arguments])}; echo ended with $?"],
                Input = keyboard.Reader.AsStream(),
                Output = shown.WriteAsync,
            },
            new TerminalSettings("dumb", new TerminalSize(80, 24, 0, 0), []));
        await Eventually.TrueAsync(() => Shown().Contains("piku is ready", StringComparison.Ordinal), TimeSpan.FromSeconds(60), Shown);

        Assert.Contains("/dev/tty", (await piku.Client.SshAsync("run", "typist", ": < /dev/tty")).Error, StringComparison.Ordinal);
        await keyboard.Writer.WriteAsync(new byte[] { 3 }, TestContext.Current.CancellationToken);
        await terminal.Exit.WaitAsync(Pace.Scale(TimeSpan.FromSeconds(30)), TestContext.Current.CancellationToken);
        Assert.Contains("ended with 0", Shown(), StringComparison.Ordinal);

        string Shown() => Encoding.UTF8.GetString(shown.ToArray());
    }

    [Fact]
    public async Task Its_files_are_nobody_elses_business()
    {
        await using var piku = await PikuInstance.StartAsync(makesHostKeys: true);
        var app = await Repository.FromExampleAsync(piku.Client, "python-wsgi", "secretive");
        await app.PushAsync();
        await piku.Client.CommandAsync("config:set", "secretive", "PASSWORD=hunter2");
        const UnixFileMode group = UnixFileMode.GroupRead | UnixFileMode.GroupWrite, others = UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
        var home = piku.Paths.Home(AppName.Parse("secretive"));
        // Of an app with a user of its own, who is in it alone, and who reads its own vassals.
        var own = Directory.Exists(home) ? Owner.Of(home).Group : (uint?)null;
        var secret = Directory.EnumerateFiles(piku.Paths.Root, "*", SearchOption.AllDirectories)
            .Where(file => !file.StartsWith(piku.Paths.Apps, StringComparison.Ordinal))
            .Where(file => new FileInfo(file).Length is > 0 and < 1 << 20)
            .Where(file => Path.GetExtension(file) is not ".lock")
            .Where(file => File.ReadAllText(file).Contains("hunter2", StringComparison.Ordinal));
        Assert.NotEmpty(secret);
        var hostKeys = Directory.GetFiles(piku.Paths.HostKeys, "ssh_host_*_key");
        Assert.NotEmpty(hostKeys);
        Assert.All(secret.Concat(hostKeys), file => Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(file) & (Owner.Of(file).Group == own ? others : group | others)));
    }
}
