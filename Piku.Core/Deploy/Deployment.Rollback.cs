using System.Globalization;
using Piku.Core.Git;
using Piku.Core.Model;

namespace Piku.Core.Deploy;

/// <summary>What is to come back, and what of it not.</summary>
/// <param name="Number">Of the release; null for the good one before the one that runs.</param>
/// <param name="KeepConfig">Settings and scaling stay as they are today.</param>
/// <param name="SkipRelease">The release command of the Procfile is not run.</param>
public sealed record RollbackWish(int? Number, bool KeepConfig, bool SkipRelease);

/// <summary>The way back: an earlier release, with its commit, dependencies, settings and scaling, becomes a new one.</summary>
public sealed partial class Deployment
{
    /// <summary>Makes an earlier release live again. The refs stay where they are: the next push decides anew.</summary>
    /// <exception cref="UserError">There is no such good release, or it does not start; what runs, runs on.</exception>
    public async Task RollBackAsync(RollbackWish wish, CancellationToken cancel)
    {
        Release? back = null;
        await using var version = await GuardedAsync("rollback", isPush: false, ChooseAsync, async (checkpoint, target, turn) =>
        {
            using var slot = await turn.TakeSlotAsync();
            await log.StepAsync($"Rolling app '{app}' back to release {back!.Number}, commit {target.Commit[..10]} of {target.Branch}", turn.Cancelled);
            await CheckOutAsync(target, Quarantine.None, turn.Cancelled);
            await BringDependenciesAsync(checkpoint, back, turn.Cancelled);
            if (!wish.KeepConfig)
                BringSettings(back.Number);
            var vassals = await BuildAsync(new() { WithRelease = !wish.SkipRelease }, checkpoint, slot, turn.Cancelled);
            await log.StepAsync($"'{app}' runs release {back.Number} again. Its branch '{target.Branch}' stays as it was pushed: the next push, or 'deploy', goes on from there.", turn.Cancelled);
            return vassals;
        }, cancel);
        await version.KeepAsync(log);

        async Task<Goal> ChooseAsync()
        {
            back = Wanted(wish.Number);
            return await _repository.HasCommitAsync(back.Commit, cancel)
                ? new(new(back.Branch, back.Commit)) { Release = $"rollback to {back.Number}", BackTo = back.Number, ChangesSettings = !wish.KeepConfig }
                : throw new UserError($"the commit {back.Commit} of release {back.Number} is not in the repository any more: push it again.");
        }
    }

    private Release Wanted(int? number)
    {
        if (number is null)
            return piku.ReleasesOf(app).Previous() ?? throw new UserError($"'{app}' has no release before the one that runs.");
        var all = piku.ReleasesOf(app).All();
        var live = all.FirstOrDefault(release => release.Succeeded);
        var chosen = all.FirstOrDefault(release => release.Number == number)
            ?? throw new UserError($"'{app}' has no release {number.Value.ToString(CultureInfo.InvariantCulture)}; 'releases {app}' lists those that are kept.");
        return !chosen.Succeeded ? throw new UserError($"release {chosen.Number} of '{app}' never ran, so there is nothing to go back to; 'releases:log {app} {chosen.Number}' says why.")
            : chosen == live ? throw new UserError($"release {chosen.Number} is the one that runs; 'deploy {app}' builds what was pushed last again.")
            : chosen;
    }

    private async Task BringDependenciesAsync(Checkpoint checkpoint, Release back, CancellationToken cancel)
    {
        if (back.Dependencies is not { } id || id == new DependencyHashes(piku.Paths, app).Id)
            return;
        await log.StepAsync(checkpoint.SwapIn(id)
            ? "Its dependencies are brought back as they were."
            : "Its dependencies are not kept any more; they are installed anew.", cancel);
    }

    private void BringSettings(int number)
    {
        var store = piku.ReleasesOf(app);
        piku.Apps.WriteConfig(app, File.ReadAllBytes(store.EnvFile(number)));
        piku.Apps.WriteScaling(app, File.ReadAllBytes(store.ScalingFile(number)));
    }
}
