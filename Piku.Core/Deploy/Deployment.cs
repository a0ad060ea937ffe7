using System.Diagnostics.CodeAnalysis;
using Piku.Core.Git;
using Piku.Core.Machine;
using Piku.Core.Model;
using Piku.Core.Settings;
using Piku.Core.Workers;

namespace Piku.Core.Deploy;

/// <summary>
/// Everything that changes how one app runs. Each story takes the app's lock, saves the way back, does its work and
/// either keeps the result or undoes it: an app is never left between two versions.
/// </summary>
/// <param name="by">Who wants it.</param>
/// <param name="log">What that person reads meanwhile.</param>
public sealed partial class Deployment(Installation piku, AppName app, Deployer by, DeployLog log)
{
    private readonly WorkTree _tree = piku.TreeOf(app);
    private readonly GitRepository _repository = piku.RepositoryOf(app);
    private readonly Switch _switch = new(piku, app, log);
    private readonly PluginHooks _hooks = new(piku, app, by.Name, log);

    /// <summary>
    /// Makes a pushed commit live, and leaves it to the caller to keep it when the refs have moved.
    /// </summary>
    /// <param name="before">The commit that the branch has as the pusher knows it; null for a new branch.</param>
    /// <param name="rebuild">Install all dependencies anew.</param>
    /// <exception cref="UserError">It did not build or did not start; the version before runs on.</exception>
    public Task<RunningVersion> PushedAsync(DeployTarget pushed, string? before, Quarantine quarantine, bool rebuild, CancellationToken cancel) =>
        GuardedAsync("push", isPush: true, () => StillWantedAsync(pushed, before, quarantine, cancel), async (checkpoint, target, turn) =>
        {
            using var slot = await turn.TakeSlotAsync();
            await log.StepAsync($"Deploying app '{app}'", turn.Cancelled);
            await CheckOutAsync(target, quarantine, turn.Cancelled);
            return await BuildAsync(new() { Quarantine = quarantine, Rebuild = rebuild }, checkpoint, slot, turn.Cancelled);
        }, cancel);

    /// <summary>Builds and starts again what was pushed last.</summary>
    /// <param name="rebuild">Install all dependencies anew.</param>
    /// <exception cref="UserError">Nothing was pushed, or it did not build or start.</exception>
    public Task RedeployAsync(bool rebuild, CancellationToken cancel) => AgainAsync(
        "deploy", () => { }, async () => new(await LastPushedAsync(cancel)) { Release = "deploy" }, new() { Rebuild = rebuild }, cancel);

    /// <summary>Starts all processes anew, with the settings as they are now and without building.</summary>
    /// <exception cref="UserError">The app was never deployed, or its processes do not start.</exception>
    public Task RestartAsync(CancellationToken cancel) => StartAnewAsync("restart", () => log.StepAsync($"Restarting app '{app}'", cancel), cancel);

    /// <summary>
    /// The same for an app that upstream has left. Its processes end before ours begin: several of its vassals may have
    /// bound one socket, of which only the last has it, and no reload gives it to another (D20).
    /// </summary>
    /// <exception cref="UserError">Its processes do not start by our plans; it runs by upstream's.</exception>
    public Task TakeOverAsync(CancellationToken cancel) => StartAnewAsync("takeover", () => _switch.OffAsync(cancel), cancel);

    private async Task StartAnewAsync(string purpose, Func<Task> before, CancellationToken cancel)
    {
        await using var version = await GuardedAsync(purpose, isPush: false, async () => new(await CheckedOutAsync(cancel)), async (_, _, turn) =>
        {
            var facts = new FactsReader(piku, app, by);
            // What cannot be planned leaves everything as it is.
            _ = LivePlan.Create(await facts.ReadAsync(turn.Cancelled));
            await before();
            return await _switch.ToAsync(LivePlan.Create(await facts.ReadAsync(turn.Cancelled)), turn.Cancelled, isRestart: true);
        }, cancel);
        await version.KeepAsync(log);
    }

    /// <summary>Stops all processes until the app is pushed, deployed or restarted.</summary>
    public async Task StopAsync(CancellationToken cancel)
    {
        using var held = await LockAsync("stop", cancel);
        await log.StepAsync($"Stopping app '{app}'", cancel);
        piku.Apps.SetStopped(app, true);
        try
        {
            await piku.Nginx.CloseSiteAsync(app, cancel);
        }
        finally
        {
            await _switch.OffAsync(cancel);
        }
    }

    /// <summary>Removes the app and all that piku made for it, except its data and cache.</summary>
    public async Task DestroyAsync(CancellationToken cancel)
    {
        using var held = await LockAsync("destroy", cancel);
        await log.StepAsync($"Destroying app '{app}'", cancel);
        await _switch.OffAsync(cancel, withRuns: true);
        await piku.Users.EndProcessesAsync(app, cancel);
        // The largest first: whoever destroys an app may do so because the disk is full, and nginx is asked through files.
        Remove(piku.Paths.Env(app), piku.Paths.AppLogs(app), piku.Paths.KeptDependencies(app));
        await piku.Nginx.ApplySiteAsync(app, null, cancel);
        piku.Vassals.RemoveAll(app);
        // Not the home itself: whose it is, the data stays.
        WholeFolder.Clear(piku.Paths.Home(app));
        // Before the sockets, in whose place the app may have put anything.
        Remove(piku.Paths.Sockets(app));
        foreach (var file in new[] { piku.Paths.NginxSocket(app, Stand.First), piku.Paths.NginxSocket(app, Stand.Second), piku.Paths.Certificate(app), piku.Paths.CertificateKey(app) })
            AtomicFile.Delete(file);
        Remove(piku.Paths.App(app), piku.Paths.AppState(app), piku.Paths.Repo(app));
        new SiteCertificate(piku, app, log).Forget();
        held.Delete();
        await _hooks.TellAsync("post-destroy", cancel);
        if (Directory.Exists(piku.Paths.AppData(app)))
            await log.LineAsync($"The app's data stays in {piku.Paths.AppData(app)}.", cancel);

        static void Remove(params string[] folders)
        {
            foreach (var folder in folders)
                WholeFolder.Remove(folder);
        }
    }

    /// <param name="change">Done when the way back is saved.</param>
    private async Task AgainAsync(string purpose, Action change, Func<Task<Goal>> choose, Build wish, CancellationToken cancel)
    {
        await using var version = await GuardedAsync(purpose, isPush: false, choose, async (checkpoint, target, turn) =>
        {
            using var slot = await turn.TakeSlotAsync();
            change();
            await log.StepAsync($"Deploying app '{app}'", turn.Cancelled);
            await CheckOutAsync(target, Quarantine.None, turn.Cancelled);
            return await BuildAsync(wish, checkpoint, slot, turn.Cancelled);
        }, cancel);
        await version.KeepAsync(log);
    }

    /// <summary>
    /// Does the work between a saved way back and its end. Whatever stops it, the app is put back before the
    /// failure is passed on; the lock is held until then.
    /// </summary>
    [SuppressMessage("Reliability", "CA2000", Justification = "The running version owns the turn.")]
    [SuppressMessage("Reliability", "CA2025", Justification = "The running version keeps or undoes the release once, which ends it.")]
    private async Task<RunningVersion> GuardedAsync(
        string purpose, bool isPush, Func<Task<Goal>> choose, Func<Checkpoint, DeployTarget, DeployTurn, Task<IReadOnlyList<string>>> work, CancellationToken cancel)
    {
        var turn = DeployTurn.Announce(piku, app, purpose, by, log, cancel);
        ReleaseUnderWay? release = null;
        try
        {
            await turn.TakeAppAsync();
            // What an earlier deploy could not put back is put back first.
            await UndoAsync();
            var goal = await choose();
            var target = goal.Target;
            release = goal.Release is { } what ? new(piku, app, by, log, what, target, goal.BackTo) : null;
            var facts = new CheckpointFacts(await _tree.CurrentAsync(cancel), target, isPush, Vassals: null)
            {
                Release = release?.Number,
                ChangesSettings = goal.ChangesSettings,
            };
            var checkpoint = Checkpoint.Take(piku.Paths, piku.Vassals, app, facts, await _tree.ReplacedByAsync(target, goal.Quarantine, cancel));
            try
            {
                var vassals = await work(checkpoint, target, turn);
                turn.Settle();
                release?.Settle();
                checkpoint.Switched(vassals);
                piku.Apps.SetStopped(app, false);
                return new(target, readers => KeepAsync(checkpoint, vassals, release, readers), () => RevokeAsync(checkpoint, release), turn);
            }
            catch (Exception failure)
            {
                checkpoint.UseRoom();
                release?.Fail(turn.Explain(failure));
                await UndoAfterAsync(turn.Explain(failure));
                throw;
            }
        }
        catch (Exception failure)
        {
            release?.Fail(turn.Explain(failure));
            turn.Dispose();
            if (turn.Explain(failure) is DeployCancelled cancelled)
                throw new UserError(cancelled.Message, failure);
            throw;
        }
    }

    /// <summary>
    /// Nobody who goes away now, client or daemon, makes the version before come back, and nothing that goes wrong here
    /// does: what is left to do, recovery does.
    /// </summary>
    private async Task KeepAsync(Checkpoint checkpoint, IReadOnlyList<string> vassals, ReleaseUnderWay? release, DeployLog readers)
    {
        using var over = release;
        try
        {
            checkpoint.UseRoom();
            release?.Succeed();
            var drain = TimeSpan.FromSeconds(AppSettings.DrainTimeout.In(piku.Apps.LiveEnv(app) ?? EnvMap.Empty));
            await new Retirement(piku, app, readers).RunAsync(vassals, drain, CancellationToken.None);
            checkpoint.Done();
        }
        catch (Exception full) when (full is UserError or IOException)
        {
            return;
        }
        await (release?.TidyAsync() ?? Task.CompletedTask);
    }

    private async Task RevokeAsync(Checkpoint checkpoint, ReleaseUnderWay? release)
    {
        checkpoint.UseRoom();
        release?.Fail(new UserError("the refs did not move, so the version before is back."));
        await UndoAsync();
    }

    /// <exception cref="UserError">Not even that could be done yet; the daemon goes on trying.</exception>
    private async Task UndoAfterAsync(Exception failure)
    {
        try
        {
            await UndoAsync();
        }
        catch (Exception stuck) when (stuck is UserError or IOException)
        {
            var reason = Shortage.Of(failure) ?? (failure is UserError or DeployCancelled ? failure.Message : "the deploy failed.");
            throw new UserError($"{reason} The version before could not be put back yet ({stuck.Message}); piku goes on trying.", failure);
        }
    }

    private Task<bool> UndoAsync() => new Recovery(piku, app).RunAsync(CancellationToken.None);

    /// <summary>Git moves no ref that another push has moved meanwhile; so the version of this one must not run for a moment either.</summary>
    private async Task<Goal> StillWantedAsync(DeployTarget pushed, string? before, Quarantine quarantine, CancellationToken cancel) =>
        await _repository.CommitOfAsync(pushed.Branch, cancel) == before
            ? new(pushed) { Release = "push", Quarantine = quarantine }
            : throw new UserError($"another push has moved '{pushed.Branch}' meanwhile: fetch it, and push again.");

    /// <summary>What runs, which after a rollback is not what was pushed last.</summary>
    private async Task<DeployTarget> CheckedOutAsync(CancellationToken cancel) => await _tree.CurrentAsync(cancel) ?? throw NothingPushed();

    private async Task<DeployTarget> LastPushedAsync(CancellationToken cancel)
    {
        var current = await _tree.CurrentAsync(cancel);
        if (current is not null && await _repository.CommitOfAsync(current.Branch, cancel) is { } pushed)
            return current with { Commit = pushed };
        // Of a branch that was deleted, what runs is the last there was; no other takes its place unasked. Upstream's
        // tree may be on a branch that was never pushed.
        if (current is not null && piku.ReleasesOf(app).Live() is not null)
            return current;
        foreach (var branch in await _repository.BranchesAsync(cancel))
        {
            if (await _repository.CommitOfAsync(branch, cancel) is { } commit)
                return new(branch, commit);
        }
        throw NothingPushed();
    }

    private async Task<bool> IsRunningAsync(CancellationToken cancel) =>
        piku.StateOf(app) is AppState.Running && await _tree.CurrentAsync(cancel) is not null;

    private UserError NothingPushed() => new($"'{app}' was never deployed: push it first.");

    private Task<FileLock> LockAsync(string purpose, CancellationToken cancel) =>
        FileLock.AcquireAsync(piku.Paths.AppLock(app), $"{purpose} by {by}", piku.Clock, log.WaitingForAsync(cancel), cancel);

    /// <summary>What a story is to make live.</summary>
    private sealed record Goal(DeployTarget Target)
    {
        /// <summary>What the release is called that it makes; null for none.</summary>
        public string? Release { get; init; }

        /// <summary>The release that comes back; null for none.</summary>
        public int? BackTo { get; init; }

        /// <summary>Where the objects of the target are.</summary>
        public Quarantine Quarantine { get; init; } = Quarantine.None;

        /// <summary>True when the settings of config:set become others, and are put back when it fails.</summary>
        public bool ChangesSettings { get; init; }
    }
}
