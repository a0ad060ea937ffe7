using System.Diagnostics;
using System.Globalization;
using Piku.Core.Deploy;
using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Tests.EndToEnd;

/// <summary>A daemon that is killed at any moment of a deploy: afterwards the old version serves or the new one, and nothing tells of it.</summary>
public sealed class CrashTests : IAsyncLifetime
{
    private const int Points = 200, PointsInShort = 6, Rollbacks = 50, RollbacksInShort = 3;

    private readonly AppName _app = AppName.Parse("crashing");
    private PikuInstance _piku = null!;
    private Browser _browser = null!;
    private Repository _repository = null!;
    private int _version;

    public async ValueTask InitializeAsync()
    {
        _piku = await PikuInstance.StartAsync();
        _browser = new(_piku);
        _repository = await Repository.WithFilesAsync(_piku.Client, _app.Value, ("Procfile",
            """
            wsgi: app:application
            worker: exec sleep 1000
            release: echo released $VERSION
            """));
        Next();
        await _repository.PushAsync();
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

    [Fact]
    public Task A_kill_in_a_rollback_leaves_the_old_version_or_the_new() => KillRollbackAsync(RollbacksInShort);

    [Fact(Explicit = true)]
    public Task A_kill_at_fifty_moments_of_a_rollback_leaves_the_old_version_or_the_new() => KillRollbackAsync(Rollbacks);

    /// <summary>To and fro between two versions, whose dependencies, settings and code are all different.</summary>
    private async Task KillRollbackAsync(int points)
    {
        await _piku.Client.CommandAsync("config:set", _app.Value, "MOOD=1");
        var first = await _repository.HeadAsync();
        Next();
        await _repository.PushAsync();
        await _piku.Client.CommandAsync("config:set", _app.Value, "MOOD=2");
        string[] commits = [first, await _repository.HeadAsync()];
        var clock = Stopwatch.StartNew();
        await RollBackToAsync(1);
        var duration = clock.Elapsed;
        var (live, olds) = (1, 0);
        for (var point = 0; point < points; point++)
        {
            var goal = 3 - live;
            var moment = duration * (point + 0.5) / points;
            var number = ReleaseOf(goal);
            await using (var rollback = await ChildProcess.StartAsync(_piku.Client.Ssh("rollback", _app.Value, number)))
            {
                await Task.WhenAny(rollback.Exit, Task.Delay(moment, TestContext.Current.CancellationToken));
                await _piku.KillDaemonAsync();
                await rollback.Exit;
            }

            await _piku.StartDaemonAsync();

            var when = $"rollback killed after {moment.TotalMilliseconds:0} ms";
            var isOld = (await _piku.Client.CommandAsync("config", _app.Value)).Contains($"MOOD={live}\n", StringComparison.Ordinal);
            olds += isOld ? 1 : 0;
            live = isOld ? live : goal;
            await AssertRunsAsync(live, when);
        }
        await RollBackToAsync(3 - live);
        await AssertRunsAsync(3 - live, "after all kills");
        TestContext.Current.TestOutputHelper!.WriteLine($"{points} kills of rollbacks within {duration.TotalMilliseconds:0} ms: {olds} times the old version, {points - olds} times the new");
        Assert.InRange(olds, 1, points);

        Task RollBackToAsync(int version) => _piku.Client.CommandAsync("rollback", _app.Value, ReleaseOf(version));

        // The last good one of its commit that ran with its setting.
        string ReleaseOf(int version)
        {
            var store = new ReleaseStore(_piku.Paths, _app, TimeProvider.System);
            return store.All().First(release => release.Succeeded && release.Commit == commits[version - 1]
                && File.ReadAllText(store.EnvFile(release.Number)).Contains($"MOOD={version}\n", StringComparison.Ordinal)).Number.ToString(CultureInfo.InvariantCulture);
        }
    }

    /// <summary>Code, committed settings, those of config:set and what is installed are all of one version.</summary>
    private async Task AssertRunsAsync(int version, string when)
    {
        await _browser.AssertSaysAsync(_browser.Http(_repository.Host), $"code {version} setting {version};");
        Assert.Contains($"code {version} ", await File.ReadAllTextAsync(Path.Combine(_piku.Paths.App(_app), "app.py")), StringComparison.Ordinal);
        Assert.Contains($"VERSION={version}\n", await File.ReadAllTextAsync(_piku.Paths.LiveEnvFile(_app)), StringComparison.Ordinal);
        Assert.Equal(($"MOOD={version}\n", when), (await _piku.Client.CommandAsync("config", _app.Value), when));
        await Eventually.TrueAsync(() => !Leftovers().Any(), TimeSpan.FromSeconds(40), () => $"{when}: {string.Join('\n', Leftovers())}\n{_piku.Output}");
    }

    private async Task KillAsync(int points)
    {
        var duration = await DurationAsync();
        var olds = 0;
        for (var point = 0; point < points; point++)
        {
            Next();
            await _repository.CommitAsync();
            var moment = duration * (point + 0.5) / points;
            await using (var push = await ChildProcess.StartAsync(_repository.Push()))
            {
                await Task.WhenAny(push.Exit, Task.Delay(moment, TestContext.Current.CancellationToken));
                await _piku.KillDaemonAsync();
                await push.Exit;
            }

            await _piku.StartDaemonAsync();

            var isNew = await _repository.HeadAsync() == await _repository.RemoteHeadAsync();
            olds += isNew ? 0 : 1;
            await AssertServesAsync(isNew ? _version : _version - 1, $"killed after {moment.TotalMilliseconds:0} ms");
            await _repository.PushAsync();
            await AssertServesAsync(_version, $"pushed again after a kill after {moment.TotalMilliseconds:0} ms");
        }
        TestContext.Current.TestOutputHelper!.WriteLine($"{points} kills within {duration.TotalMilliseconds:0} ms: {olds} times the old version, {points - olds} times the new");
        Assert.InRange(olds, 1, points);
    }

    /// <summary>Of one push without a kill.</summary>
    private async Task<TimeSpan> DurationAsync()
    {
        Next();
        await _repository.CommitAsync();
        var clock = Stopwatch.StartNew();
        await Programs.CaptureAsync(_repository.Push());
        return clock.Elapsed;
    }

    /// <summary>Everything of an app changes with its version: code, settings, dependencies.</summary>
    private void Next()
    {
        _version++;
        _repository.Write("requirements.txt", $"# {_version}\n");
        _repository.Write("ENV", $"NGINX_SERVER_NAME={_repository.Host}\nVERSION={_version}\n");
        _repository.Write("app.py",
            $"""
            import os
            def application(environ, start):
                start('200 OK', [('Content-Type', 'text/plain')])
                return [b'code {_version} setting ' + os.environ['VERSION'].encode() + b';']
            """);
    }

    private async Task AssertServesAsync(int version, string when)
    {
        await _browser.AssertSaysAsync(_browser.Http(_repository.Host), $"code {version} setting {version};");
        var paths = _piku.Paths;
        var head = (await Programs.RunAsync("git", ["-c", "safe.directory=*", "--git-dir", Path.Combine(paths.App(_app), ".git"), "rev-parse", "HEAD"])).Trim();
        Assert.Equal((await _repository.RemoteHeadAsync(), when), (head, when));
        Assert.Contains($"code {version} ", await File.ReadAllTextAsync(Path.Combine(paths.App(_app), "app.py")), StringComparison.Ordinal);
        Assert.Contains($"VERSION={version}\n", await File.ReadAllTextAsync(paths.LiveEnvFile(_app)), StringComparison.Ordinal);
        // The push's own end comes a moment after its client's.
        await Eventually.TrueAsync(() => !Leftovers().Any(), TimeSpan.FromSeconds(40), () => $"{when}: {string.Join('\n', Leftovers())}\n{_piku.Output}");
    }

    private IEnumerable<string> Leftovers()
    {
        var paths = _piku.Paths;
        var vassals = Directory.GetFiles(paths.VassalsEnabled, "*.ini");
        if (vassals.Length != 2)
            yield return string.Join(' ', vassals);
        var sockets = Directory.GetFiles(paths.NginxRoot, "*.sock");
        if (sockets.Length != 1)
            yield return string.Join(' ', sockets);
        foreach (var file in Directory.EnumerateFileSystemEntries(paths.AppState(_app)).Where(entry => Path.GetFileName(entry).StartsWith("checkpoint", StringComparison.Ordinal)))
            yield return file;
        foreach (var file in Entries(Path.Combine(paths.Run, "push")).Concat(Entries(Path.Combine(paths.Run, "deploys"))))
            yield return file;
        foreach (var file in Directory.EnumerateFiles(paths.Root, ".*" + AtomicFile.TemporarySuffix, SearchOption.AllDirectories))
            yield return file;
        foreach (var file in Entries(Path.Combine(paths.App(_app), ".git")).Where(entry => Path.GetFileName(entry).StartsWith("piku-", StringComparison.Ordinal) || entry.EndsWith(".lock", StringComparison.Ordinal)))
            yield return file;
        foreach (var folder in Entries(paths.Repo(_app)).Concat(Entries(Path.Combine(paths.Repo(_app), "objects"))).Where(entry => entry.Contains("incoming", StringComparison.Ordinal) || entry.EndsWith(".lock", StringComparison.Ordinal)))
            yield return folder;
        var tree = ProcessTable.TreeOf(_piku.ProcessId).ToHashSet();
        foreach (var stray in _piku.Processes().Where(process => !tree.Contains(process)))
            yield return $"{stray} {ProcessTable.CommandLine(stray)}";
    }

    private static IEnumerable<string> Entries(string folder) => Directory.Exists(folder) ? Directory.EnumerateFileSystemEntries(folder) : [];
}
