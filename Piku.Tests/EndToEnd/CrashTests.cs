using System.Diagnostics;
using Piku.Core.Machine;

namespace Piku.Tests.EndToEnd;

/// <summary>A daemon that is killed at any moment of a deploy: afterwards the old version serves or the new one, and nothing tells of it.</summary>
public sealed class CrashTests : IAsyncLifetime
{
    private const int Points = 200, PointsInShort = 6;

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

    [Fact(Explicit = true)]
    public Task A_kill_at_two_hundred_moments_leaves_the_old_version_or_the_new() => KillAsync(Points);

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
                await Task.WhenAny(push.Exit, Task.Delay(moment, TestContext.Current.CancellationToken));
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

    /// <summary>Of one push without a kill.</summary>
    private async Task<TimeSpan> DurationAsync()
    {
        _app.Next();
        await _app.Repository.CommitAsync();
        var clock = Stopwatch.StartNew();
        await Programs.CaptureAsync(_app.Repository.Push());
        return clock.Elapsed;
    }
}
