using Piku.Core.Git;
using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Core.Deploy;

/// <summary>
/// Ends what a deploy has begun and did not end: because it failed, because its pusher or the daemon went away. Runs
/// under the app's lock, and again at the next chance if it is itself interrupted: each of its steps may be repeated.
/// </summary>
public sealed class Recovery(Installation piku, AppName app)
{
    /// <summary>For submodules of the version before, which somebody has removed from where they are kept.</summary>
    private static readonly TimeSpan Fetching = TimeSpan.FromMinutes(5);

    /// <summary>
    /// For one app, of which git itself may be kept from ending: others wait for it at the start of a daemon less long than later.
    /// </summary>
    private static readonly TimeSpan AtStart = TimeSpan.FromMinutes(2), Later = TimeSpan.FromMinutes(10);

    private readonly WorkTree _tree = piku.TreeOf(app);

    /// <summary>At the start of a daemon: ends what an earlier one has begun. An app for which that cannot be done yet keeps nobody from starting.</summary>
    /// <returns>What could not be done, for the log: one sentence each.</returns>
    public static Task<IReadOnlyList<string>> ResumeAsync(Installation piku, CancellationToken cancel)
    {
        // Of all apps at once: each look reads of every process of the machine.
        var builds = MarkedProcesses.Find(mark => mark.Purpose is ProcessPurpose.Build).Select(one => one.Mark).ToHashSet();
        return ForAllAsync(piku, AtStart, (app, within) => ResumeAsync(piku, app, builds, within), cancel);
    }

    /// <summary>While a daemon runs: ends what a deploy could not put back, for want of space, unless somebody is at it.</summary>
    /// <inheritdoc cref="ResumeAsync(Installation, CancellationToken)" path="/returns"/>
    public static Task<IReadOnlyList<string>> RetryAsync(Installation piku, CancellationToken cancel) =>
        ForAllAsync(piku, Later, async (app, within) =>
        {
            if (!Checkpoint.IsLeft(piku.Paths, app))
                return;
            using var held = FileLock.TryAcquire(piku.Paths.AppLock(app), "recovery", piku.Clock);
            if (held is null)
                return;
            await new Recovery(piku, app).RunAsync(within);
            Checkpoint.RemoveLeftovers(piku.Paths, app);
        }, cancel);

    private static async Task<IReadOnlyList<string>> ForAllAsync(Installation piku, TimeSpan limit, Func<AppName, CancellationToken, Task> recover, CancellationToken cancel)
    {
        var problems = new List<string>();
        foreach (var app in piku.Apps.All())
        {
            using var within = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            within.CancelAfter(limit);
            try
            {
                await recover(app, within.Token);
            }
            catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
            {
                problems.Add($"'{app}' cannot be put back yet: it takes longer than {limit.TotalMinutes:0} minutes.");
            }
            catch (Exception stuck) when (stuck is not OperationCanceledException)
            {
                problems.Add($"'{app}' cannot be put back yet: {stuck.Message}");
            }
        }
        return problems;
    }

    private static async Task ResumeAsync(Installation piku, AppName app, IReadOnlySet<ProcessMark> builds, CancellationToken cancel)
    {
        using var held = FileLock.TryAcquire(piku.Paths.AppLock(app), "recovery", piku.Clock);
        if (held is null)
            return;
        // Nobody deploys it now.
        if (builds.Any(mark => mark.IsOf(piku.Paths.Root, app)))
            MarkedProcesses.Kill(mark => mark.Purpose is ProcessPurpose.Build && mark.IsOf(piku.Paths.Root, app));
        piku.RepositoryOf(app).RemoveLeftovers();
        piku.TreeOf(app).RemoveLeftovers();
        Checkpoint.RemoveLeftovers(piku.Paths, app);
        foreach (var (folder, names) in Written(piku.Paths, app))
            AtomicFile.RemoveLeftovers(folder, names);
        if (await new Recovery(piku, app).RunAsync(cancel))
            piku.Vassals.Renew(app);
    }

    /// <summary>Where files of the app are written, and what their names begin with.</summary>
    private static IEnumerable<(string Folder, string Names)> Written(PikuPaths paths, AppName app) =>
    [
        (paths.Env(app), ""), (paths.AppState(app), ""), .. Releases(paths, app).Select(folder => (folder, "")), (paths.NginxRoot, app + "."), (paths.VassalsAvailable, app + "_"),
    ];

    private static string[] Releases(PikuPaths paths, AppName app) =>
        Directory.Exists(paths.Releases(app)) ? Directory.GetDirectories(paths.Releases(app)) : [];

    /// <summary>Keeps the new version if it runs and the refs agree with it; otherwise puts everything back.</summary>
    /// <returns>True when something was put back.</returns>
    public async Task<bool> RunAsync(CancellationToken cancel)
    {
        var wasUndone = await EndAsync(cancel);
        piku.ReleasesOf(app).EndInterrupted();
        return wasUndone;
    }

    private async Task<bool> EndAsync(CancellationToken cancel)
    {
        if (Checkpoint.Left(piku.Paths, app) is not { } checkpoint)
            return false;
        checkpoint.UseRoom();
        if (checkpoint.Facts.Vassals is { } vassals && (!checkpoint.Facts.IsPush || await RefsAgreeAsync(checkpoint.Facts.After, cancel)))
        {
            if (checkpoint.Facts.Release is { } number)
                piku.ReleasesOf(app).EndWell(number);
            await new Retirement(piku, app, DeployLog.Silent).RunAsync(vassals, TimeSpan.Zero, cancel);
            checkpoint.Done();
            return false;
        }
        await UndoAsync(checkpoint, cancel);
        checkpoint.Discard();
        return true;
    }

    private async Task<bool> RefsAgreeAsync(DeployTarget target, CancellationToken cancel) =>
        await piku.RepositoryOf(app).CommitOfAsync(target.Branch, cancel) == target.Commit;

    private async Task UndoAsync(Checkpoint checkpoint, CancellationToken cancel)
    {
        if (checkpoint.Facts.Before is { } before)
            await _tree.CheckOutAsync(before, Quarantine.None, Fetching, DeployLog.Silent.Output, cancel);
        else
            WholeFolder.Remove(piku.Paths.App(app));
        var vassals = checkpoint.RestoreFiles();
        await new Switch(piku, app, DeployLog.Silent).BackAsync(vassals, checkpoint.SavedSite(), cancel);
    }
}
