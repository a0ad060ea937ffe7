using System.Diagnostics;
using Piku.Core.Machine;

namespace Piku.Tests.EndToEnd;

/// <summary>A build that prints 200 MB, to a client that reads it and to one that has stopped reading.</summary>
[NeedsMachine]
public sealed class SilentPusherTests : IAsyncLifetime
{
    private const int MostResidentMegabytes = 100;

    /// <summary>SIGSTOP and SIGCONT (signal(7)).</summary>
    private const int StopSignal = 19, ContinueSignal = 18;

    private const long MostLog = (4 << 20) + 1000;
    private const string Loud = "preflight: yes 0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789 | head -c 200000000\n";

    private PikuInstance _piku = null!;
    private Browser _browser = null!;
    private VersionedApp _app = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _piku = await PikuInstance.StartAsync();
        _browser = new(_piku);
        _app = await VersionedApp.DeployAsync(_piku, _browser, "loud");
    }

    public async ValueTask DisposeAsync()
    {
        _browser.Dispose();
        await _piku.DisposeAsync();
    }

    [Fact]
    public async Task One_who_has_stopped_reading_holds_up_nobody_beyond_the_build_timeout()
    {
        var timeout = (int)Pace.Scale(TimeSpan.FromSeconds(4)).TotalSeconds;
        await using var push = await PushAndStopReadingAsync($"PIKU_BUILD_TIMEOUT={timeout}\n");

        Assert.Contains("loud", await _piku.Client.CommandAsync("deploys"), StringComparison.Ordinal);
        await OverAsync();

        // While the client is as silent as before.
        Assert.Contains($"took longer than {timeout} s", await _piku.Client.CommandAsync("releases", "loud"), StringComparison.Ordinal);
        Assert.Contains("code 1", (await _browser.GetAsync(_browser.Http(_app.Repository.Host))).Body, StringComparison.Ordinal);
        await _piku.Client.CommandAsync("restart", "loud");
        AssertIsSmall();
        Signal(push, ContinueSignal);
        Assert.False((await push.Exit.WaitAsync(Pace.Scale(TimeSpan.FromMinutes(1)), Cancel)).Succeeded);
        await AssertIsBackAsync();
    }

    [Fact]
    public async Task One_who_has_stopped_reading_and_goes_away_leaves_the_old_version()
    {
        await using var push = await PushAndStopReadingAsync("");
        Signal(push, Signals.Kill);
        await push.Exit.WaitAsync(Pace.Scale(TimeSpan.FromMinutes(1)), Cancel);
        await OverAsync();
        AssertIsSmall();
        await AssertIsBackAsync();
    }

    [Fact]
    public async Task One_who_reads_it_all_finds_a_daemon_and_a_log_that_stay_small()
    {
        Assert.SkipWhen(Environment.GetEnvironmentVariable("PIKU_BINARY") is null, "it measures the release: ./test builds that");
        _app.Next(withDependencies: false);
        _app.Repository.Write("Procfile", VersionedApp.Procfile + Loud);
        await _app.Repository.CommitAsync();
        var told = 0L;
        var watch = Stopwatch.StartNew();
        await using var push = await ChildProcess.StartAsync(_app.Repository.Push() with
        {
            Error = (bytes, _) =>
            {
                told += bytes.Length;
                return ValueTask.CompletedTask;
            },
        });
        Assert.True((await push.Exit.WaitAsync(Pace.Scale(TimeSpan.FromMinutes(3)), Cancel)).Succeeded);

        TestContext.Current.TestOutputHelper!.WriteLine($"{told >> 20} MiB were told in {watch.Elapsed.TotalSeconds:0.0} s");
        Assert.InRange(told, 200_000_000, long.MaxValue);
        Assert.InRange(new FileInfo(Path.Combine(_piku.Paths.Releases(_app.App), "2/log")).Length, 1 << 20, MostLog);
        AssertIsSmall();
        await _app.AssertServesAsync(_app.Version, "told 200 MB");
    }

    /// <summary>The build has begun, and its client is stopped as ctrl-Z does.</summary>
    private async Task<ChildProcess> PushAndStopReadingAsync(string settings)
    {
        _app.Next(withDependencies: false);
        _app.Repository.Write("Procfile", VersionedApp.Procfile + Loud);
        _app.Repository.Write("ENV", await File.ReadAllTextAsync(Path.Combine(_app.Repository.Folder, "ENV"), Cancel) + settings);
        await _app.Repository.CommitAsync();
        var begun = new TaskCompletionSource();
        var push = await ChildProcess.StartAsync(_app.Repository.Push() with
        {
            Error = (bytes, _) =>
            {
                if (bytes.Length > 1000)
                    begun.TrySetResult();
                return ValueTask.CompletedTask;
            },
        });
        await begun.Task.WaitAsync(Pace.Scale(TimeSpan.FromMinutes(1)), Cancel);
        Signal(push, StopSignal);
        return push;
    }

    private static void Signal(ChildProcess push, int signal)
    {
        foreach (var process in ProcessTable.TreeOf(push.ProcessId))
            Signals.Send(process, signal);
    }

    private Task OverAsync() => Eventually.TrueAsync(
        async () => (await _piku.Client.CommandAsync("deploys")).Contains("No deploys", StringComparison.Ordinal), TimeSpan.FromSeconds(60));

    private void AssertIsSmall()
    {
        var resident = ProcessFigures.Of(_piku.ProcessId).MostResident / 1024;
        TestContext.Current.TestOutputHelper!.WriteLine($"{resident} MiB at the most");
        if (Environment.GetEnvironmentVariable("PIKU_BINARY") is not null)
            Assert.InRange(resident, 1, MostResidentMegabytes);
    }

    private async Task AssertIsBackAsync()
    {
        await _app.AssertServesAsync(1, "nobody has read");
        _app.Next(withDependencies: false);
        _app.Repository.Write("Procfile", VersionedApp.Procfile);
        await _app.Repository.PushAsync();
        await _app.AssertServesAsync(_app.Version, "pushed again");
    }
}
