using System.Net;
using System.Net.Sockets;
using Piku.Core.Machine;
using Piku.Core.Services;

namespace Piku.Tests.EndToEnd;

/// <summary>
/// What a deploy needs of the machine is missing for a while: nginx, uWSGI's emperor, processes, open files. A push is
/// refused with a sentence or waits; the old version is what is served afterwards, and the next push works.
/// </summary>
[NeedsMachine]
public sealed class FaultTests(FaultyInstance faulty) : IClassFixture<FaultyInstance>
{
    private PikuInstance Piku => faulty.Piku;

    private VersionedApp App => faulty.App;

    private int Nginx => new NginxMaster(new(Piku.Paths), TimeProvider.System).ProcessId!.Value;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_push_while_nginx_is_being_started_again_succeeds()
    {
        await faulty.BeginAsync();
        App.Next(withDependencies: false);
        await App.Repository.CommitAsync();
        Signals.Send(Nginx, Signals.Kill);
        await App.Repository.PushAsync();
        await ServedAsync("nginx was killed before");
    }

    [Fact]
    public async Task A_push_in_the_midst_of_which_nginx_dies_succeeds()
    {
        await faulty.BeginAsync();
        var push = await HaltAsync();
        Signals.Send(Nginx, Signals.Kill);
        GoOn();
        var run = await push;
        Assert.True(run.Status.Succeeded, run.Error);
        await ServedAsync("nginx was killed in the middle");
    }

    [Fact]
    public async Task A_push_is_refused_while_nginx_cannot_be_started()
    {
        await faulty.BeginAsync();
        var push = await HaltAsync();
        using (await TakePortAsync())
        {
            GoOn();
            AssertRefused(await push, "nginx does not run");
        }
        await App.AssertServesAsync(faulty.Served, "nginx could not be started");
        await PushAgainAsync();
    }

    [Fact]
    public async Task A_push_in_the_midst_of_which_the_emperor_dies_succeeds()
    {
        await faulty.BeginAsync();
        var push = await HaltAsync();
        Signals.Send((await faulty.EmperorAsync())!.ProcessId, Signals.Kill);
        GoOn();
        var run = await push;
        Assert.True(run.Status.Succeeded, run.Error);
        await ServedAsync("the emperor was killed in the middle");
    }

    [Fact]
    public async Task A_push_is_refused_while_the_emperor_cannot_be_started()
    {
        await faulty.BeginAsync();
        App.Next(withDependencies: false);
        App.Repository.Write("ENV", await File.ReadAllTextAsync(Path.Combine(App.Repository.Folder, "ENV"), Cancel) + "PIKU_HEALTH_TIMEOUT=2\n");
        var socket = new EmperorFiles(Piku.Paths).Socket;
        Signals.Send((await faulty.EmperorAsync())!.ProcessId, Signals.Kill);
        File.Delete(socket);
        Directory.CreateDirectory(Path.Combine(socket, "in the way"));
        CapturedRun refused;
        try
        {
            refused = await App.Repository.TryPushAsync();
        }
        finally
        {
            Directory.Delete(socket, recursive: true);
        }
        AssertRefused(refused, "uWSGI's emperor does not answer");
        await Eventually.TrueAsync(async () => await faulty.EmperorAsync() is not null, TimeSpan.FromSeconds(90)); // it is given 30 s, and started again
        await App.AssertServesAsync(faulty.Served, "the emperor could not be started");
        await PushAgainAsync();
    }

    [Fact]
    public async Task A_push_that_finds_no_more_processes_is_refused()
    {
        await faulty.BeginAsync();
        App.Next(withDependencies: false);
        await App.Repository.CommitAsync();
        await faulty.LimitAsync("nproc", "1");

        var refused = await Programs.CaptureAsync(App.Repository.Push());

        await faulty.UnlimitAsync("nproc");
        AssertRefused(refused, "could not be started");
        await App.AssertServesAsync(faulty.Served, "there were no processes");
        await PushAgainAsync();
    }

    /// <summary>.NET ends a program whose pool of threads wants one more and gets none.</summary>
    [Fact]
    public async Task A_daemon_that_gets_no_more_threads_serves_on()
    {
        await faulty.BeginAsync();
        await faulty.LimitAsync("nproc", "1");

        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => i % 2 == 0
            ? (Task)Piku.Client.CommandAsync("apps")
            : Piku.Client.SshAsync("run", App.App.Value, "true")));

        await faulty.UnlimitAsync("nproc");
        await App.AssertServesAsync(faulty.Served, "there were no threads");
    }

    /// <summary>Not even the way back finds one.</summary>
    [Fact]
    public async Task A_deploy_that_finds_no_more_processes_is_put_back_when_there_are_some()
    {
        await faulty.BeginAsync();
        var push = await HaltAsync();
        await faulty.LimitAsync("nproc", "1");
        GoOn();

        AssertRefused(await push, "could not be started");
        await faulty.UnlimitAsync("nproc");
        await Eventually.TrueAsync(() => !Directory.Exists(Path.Combine(Piku.Paths.AppState(App.App), "checkpoint")));
        await App.AssertServesAsync(faulty.Served, "there were no processes for the way back");
        await PushAgainAsync();
    }

    [Fact]
    public async Task A_deploy_that_finds_no_more_open_files_is_put_back()
    {
        Assert.SkipWhen(Environment.GetEnvironmentVariable("PIKU_BINARY") is null, "a program of many files opens them when they are needed first");
        await faulty.BeginAsync();
        var push = await HaltAsync();
        // What is open below stays open while the push lasts, so there is no room for one more, whatever others close.
        var open = Directory.GetFiles($"/proc/{Piku.ProcessId}/fd").Select(Path.GetFileName).ToHashSet();
        await faulty.LimitAsync("nofile", $"{Enumerable.Range(0, int.MaxValue).First(number => !open.Contains($"{number}"))}");
        GoOn();

        AssertRefused(await push, "Too many open files");
        await faulty.UnlimitAsync("nofile");
        await Eventually.TrueAsync(() => !Directory.Exists(Path.Combine(Piku.Paths.AppState(App.App), "checkpoint")));
        await App.AssertServesAsync(faulty.Served, "there were no open files");
        await PushAgainAsync();
    }

    /// <summary>Pushes a version whose release command waits for <see cref="GoOn"/>, until it does.</summary>
    private async Task<Task<CapturedRun>> HaltAsync()
    {
        AtomicFile.Delete(faulty.Begun);
        AtomicFile.Delete(faulty.Go);
        App.Next(withDependencies: false);
        App.Repository.Write("Procfile", VersionedApp.Procfile + $"release: touch {faulty.Begun}; while [ ! -e {faulty.Go} ]; do sleep 0.05; done\n");
        await App.Repository.CommitAsync();
        var push = Programs.CaptureAsync(App.Repository.Push());
        await Eventually.TrueAsync(() => File.Exists(faulty.Begun) || push.IsCompleted, TimeSpan.FromSeconds(60));
        Assert.False(push.IsCompleted);
        return push;
    }

    private void GoOn() => File.WriteAllText(faulty.Go, "");

    private async Task ServedAsync(string when)
    {
        faulty.Served = App.Version;
        await App.AssertServesAsync(App.Version, when);
    }

    private async Task PushAgainAsync()
    {
        App.Repository.Write("Procfile", VersionedApp.Procfile);
        App.Next(withDependencies: false);
        await App.Repository.PushAsync();
        await ServedAsync("pushed again");
    }

    /// <summary>Kills nginx and listens where it would.</summary>
    private async Task<TcpListener> TakePortAsync()
    {
        var listener = new TcpListener(IPAddress.Any, Piku.HttpPort);
        Signals.Send(Nginx, Signals.Kill);
        await Eventually.TrueAsync(() =>
        {
            try
            {
                listener.Start();
                return true;
            }
            catch (SocketException)
            {
                return false;
            }
        });
        return listener;
    }


    private void AssertRefused(CapturedRun push, string reason)
    {
        TestContext.Current.TestOutputHelper!.WriteLine(push.Error);
        Assert.False(push.Status.Succeeded, push.Error);
        Assert.Contains("Error: ", push.Error, StringComparison.Ordinal);
        Assert.Contains(reason, push.Error, StringComparison.Ordinal);
        Assert.False(push.Error.Contains("internal error", StringComparison.OrdinalIgnoreCase), Piku.Output);
        Assert.DoesNotContain("   at ", push.Error, StringComparison.Ordinal);
    }
}

/// <summary>One daemon with one app, for tests that take something from it and give it back.</summary>
public sealed class FaultyInstance : IAsyncLifetime
{
    private Browser? _browser;
    private PikuInstance? _piku;
    private VersionedApp? _app;

    public PikuInstance Piku => _piku!;

    /// <summary>The version that was deployed last.</summary>
    public int Served { get; set; } = 1;

    internal VersionedApp App => _app!;

    internal string Begun => Path.Combine(Piku.Paths.AppData(App.App), "begun");

    internal string Go => Path.Combine(Piku.Paths.AppData(App.App), "go");

    internal Task<EmperorStatus?> EmperorAsync() => new Emperor(Piku.Paths, TimeProvider.System).StatusAsync(TestContext.Current.CancellationToken);

    /// <summary>Of the daemon; its children of before keep theirs (getrlimit(2)).</summary>
    internal Task<string> LimitAsync(string what, string soft) => PrlimitAsync($"--{what}={soft}:");

    internal async Task UnlimitAsync(string what) =>
        await LimitAsync(what, (await PrlimitAsync($"--{what}", "--output=HARD", "--noheadings")).Trim());

    /// <summary>As the daemon's user, who may: root in a container may not.</summary>
    private Task<string> PrlimitAsync(params string[] words)
    {
        Assert.True(Piku.IsRunning, $"the daemon has ended: {Piku.Output}");
        string[] call = ["prlimit", "--pid", $"{Piku.ProcessId}", .. words];
        return UnixUser.Current.IsRoot
            ? Programs.RunAsync("setpriv", ["--reuid=piku", "--regid=piku", "--init-groups", .. call])
            : Programs.RunAsync(call[0], call[1..]);
    }

    /// <summary>All is well, also after a test that failed.</summary>
    internal async Task BeginAsync()
    {
        await UnlimitAsync("nproc");
        await UnlimitAsync("nofile");
        App.Repository.Write("Procfile", VersionedApp.Procfile);
        await File.WriteAllTextAsync(Go, "");
        await Eventually.TrueAsync(() => Directory.GetFiles(Path.Combine(Piku.Paths.Run, "deploys")).Length == 0);
        await Eventually.TrueAsync(() => new NginxMaster(new(Piku.Paths), TimeProvider.System).ProcessId is not null, TimeSpan.FromSeconds(40));
        await Eventually.TrueAsync(async () => await EmperorAsync() is not null, TimeSpan.FromSeconds(40));
    }

    public async ValueTask InitializeAsync()
    {
        _piku = await PikuInstance.StartAsync();
        _browser = new(_piku);
        _app = await VersionedApp.DeployAsync(_piku, _browser, "faulty");
    }

    public async ValueTask DisposeAsync()
    {
        _browser?.Dispose();
        if (_piku is not null)
            await _piku.DisposeAsync();
    }
}
