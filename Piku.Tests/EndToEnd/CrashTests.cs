using System.Diagnostics;
using System.Globalization;
using Piku.Core.Deploy;
using Piku.Core.Machine;

namespace Piku.Tests.EndToEnd;

/// <summary>A daemon that is killed at any moment of a deploy: afterwards the old version serves or the new one, and nothing tells of it.</summary>
[NeedsMachine]
public sealed class CrashTests : IAsyncLifetime
{
    private const int Points = 200, PointsInShort = 4, Rollbacks = 50, RollbacksInShort = 2;

    private PikuInstance _piku = null!;
    private Browser _browser = null!;
    private VersionedApp _app = null!;

    public async ValueTask InitializeAsync()
    {
        _piku = await PikuInstance.StartAsync();
        _browser = new(_piku);
        _app = await VersionedApp.DeployAsync(_piku, _browser, "crashing", VersionedApp.Procfile + "release: echo released $VERSION\n");
    }

    public async ValueTask DisposeAsync()
    {
        _browser.Dispose();
        await _piku.DisposeAsync();
    }

    [Fact]
    public Task A_kill_leaves_the_old_version_or_the_new() => KillAsync(PointsInShort);

    [TimeLimit(minutes: 120)]
    [Fact(Explicit = true)]
    public Task A_kill_at_two_hundred_moments_leaves_the_old_version_or_the_new() => KillAsync(Points);

    [Fact]
    public Task A_kill_in_a_rollback_leaves_the_old_version_or_the_new() => KillRollbackAsync(RollbacksInShort);

    [Fact(Explicit = true)]
    public Task A_kill_at_fifty_moments_of_a_rollback_leaves_the_old_version_or_the_new() => KillRollbackAsync(Rollbacks);

    /// <summary>To and fro between two versions, whose dependencies, settings and code are all different.</summary>
    private async Task KillRollbackAsync(int points)
    {
        await _piku.Client.CommandAsync("config:set", _app.App.Value, "MOOD=1");
        var first = await _app.Repository.HeadAsync();
        _app.Next();
        await _app.Repository.PushAsync();
        await _piku.Client.CommandAsync("config:set", _app.App.Value, "MOOD=2");
        string[] commits = [first, await _app.Repository.HeadAsync()];
        var clock = Stopwatch.StartNew();
        await RollBackToAsync(1);
        var duration = clock.Elapsed;
        var (live, olds) = (1, 0);
        for (var point = 0; point < points; point++)
        {
            var goal = 3 - live;
            var moment = duration * (point + 0.5) / points;
            var number = ReleaseOf(goal);
            await using (var rollback = await ChildProcess.StartAsync(_piku.Client.Ssh("rollback", _app.App.Value, number)))
            {
                await Task.WhenAny(rollback.Exit, Task.Delay(moment, TestContext.Current.CancellationToken));
                await _piku.KillDaemonAsync();
                await rollback.Exit;
            }

            await _piku.StartDaemonAsync();

            var when = $"rollback killed after {moment.TotalMilliseconds:0} ms";
            var isOld = (await _piku.Client.CommandAsync("config", _app.App.Value)).Contains($"MOOD={live}\n", StringComparison.Ordinal);
            olds += isOld ? 1 : 0;
            live = isOld ? live : goal;
            await AssertRunsAsync(live, when);
        }
        await RollBackToAsync(3 - live);
        await AssertRunsAsync(3 - live, "after all kills");
        TestContext.Current.TestOutputHelper!.WriteLine($"{points} kills of rollbacks within {duration.TotalMilliseconds:0} ms: {olds} times the old version, {points - olds} times the new");
        Assert.InRange(olds, 1, points);

        Task RollBackToAsync(int version) => _piku.Client.CommandAsync("rollback", _app.App.Value, ReleaseOf(version));

        // The last good one of its commit that ran with its setting.
        string ReleaseOf(int version)
        {
            var store = new ReleaseStore(_piku.Paths, _app.App, TimeProvider.System);
            return store.All().First(release => release.Succeeded && release.Commit == commits[version - 1]
                && File.ReadAllText(store.EnvFile(release.Number)).Contains($"MOOD={version}\n", StringComparison.Ordinal)).Number.ToString(CultureInfo.InvariantCulture);
        }
    }

    /// <summary>Code, committed settings and those of config:set are all of one version.</summary>
    private async Task AssertRunsAsync(int version, string when)
    {
        await _app.AssertRunsAsync(version, when);
        Assert.Equal(($"MOOD={version}\n", when), (await _piku.Client.CommandAsync("config", _app.App.Value), when));
    }

    private async Task KillAsync(int points)
    {
        var duration = await DurationAsync();
        var olds = 0;
        for (var point = 0; point < points; point++)
        {
            _app.Next();
            await _app.Repository.CommitAsync();
            var moment = duration * (point + 0.5) / points;
            await using (var push = await ChildProcess.StartAsync(_app.Repository.Push()))
            {
                await Task.Delay(moment, TestContext.Current.CancellationToken);
                await _piku.KillDaemonAsync();
                await push.Exit;
            }

            await _piku.StartDaemonAsync();

            var isNew = await _app.HasArrivedAsync();
            olds += isNew ? 0 : 1;
            await _app.AssertServesAsync(isNew ? _app.Version : _app.Version - 1, $"killed after {moment.TotalMilliseconds:0} ms");
            await _app.Repository.PushAsync();
            await _app.AssertServesAsync(_app.Version, $"pushed again after a kill after {moment.TotalMilliseconds:0} ms");
        }
        TestContext.Current.TestOutputHelper!.WriteLine($"{points} kills within {duration.TotalMilliseconds:0} ms: {olds} times the old version, {points - olds} times the new");
        Assert.InRange(olds, 1, points);
    }

    /// <summary>Of one push without a kill, until the version before has ended, too.</summary>
    private async Task<TimeSpan> DurationAsync()
    {
        await _app.NothingLeftAsync("before the first");
        _app.Next();
        await _app.Repository.CommitAsync();
        var clock = Stopwatch.StartNew();
        await Programs.CaptureAsync(_app.Repository.Push());
        await _app.NothingLeftAsync("after a push");
        return clock.Elapsed;
    }
}
