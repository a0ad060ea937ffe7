using Piku.Core.Formats;
using Piku.Core.Git;
using Piku.Core.Model;
using Piku.Core.Runtimes;
using Piku.Core.Settings;
using Piku.Core.Workers;

namespace Piku.Core.Deploy;

/// <summary>The middle of every deploy: from a commit to a version that runs. Who calls it has saved the way back.</summary>
public sealed partial class Deployment
{
    /// <summary>Submodules, too.</summary>
    private async Task CheckOutAsync(DeployTarget target, Quarantine quarantine, CancellationToken cancel)
    {
        var usual = AppSettings.BuildTimeout.In(EnvMap.Empty);
        using var within = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        within.CancelAfter(TimeSpan.FromSeconds(usual));
        try
        {
            var committed = EnvFile.Parse(await _repository.FileOfAsync(target.Commit, "ENV", quarantine, within.Token) ?? "", "ENV");
            // One that refers to other settings means nothing yet.
            var limit = TimeSpan.FromSeconds(AppSettings.BuildTimeout.TryIn(EnvMap.From(committed).WithAll(piku.Apps.Config(app)), out var set) ? set : usual);
            // Fetching has a limit of its own. What the repository itself has git do must not hold up other apps for ever.
            within.CancelAfter(limit + TimeSpan.FromSeconds(usual));
            await _tree.CheckOutAsync(target, quarantine, limit, log.Output, within.Token);
        }
        catch (OperationCanceledException late) when (!cancel.IsCancellationRequested)
        {
            throw new UserError("git did not check the commit out in time.", late);
        }
    }

    /// <summary>From a checked-out commit to a running version.</summary>
    /// <param name="slot">A place among those that build, given back as soon as it is built.</param>
    private async Task<IReadOnlyList<string>> BuildAsync(Build wish, Checkpoint checkpoint, IDisposable slot, CancellationToken cancel)
    {
        var facts = new FactsReader(piku, app, by);
        var first = await facts.ReadAsync(cancel);
        // Nobody needs a build to be told that.
        LivePlan.RefuseTaken(first);
        var plan = BuildPlan.Create(first);
        var runner = new BuildRunner(piku.Paths, app, Path.Combine(piku.Paths.App(app), AppDirectory.Of(piku, app)), wish.Quarantine, log);
        await log.StepAsync($"{plan.Runtime} app detected.", cancel);
        foreach (var warning in plan.Warnings)
            await log.WarnAsync(warning, cancel);
        if (await _tree.HasLargeFilesAsync(cancel))
            await log.WarnAsync("this repository keeps files in git-lfs, which piku does not fetch: the app finds small pointers in their place. Commit the files themselves, or fetch them in 'preflight'.", cancel);
        MakeFolders();
        await _hooks.AskAsync("pre-deploy", cancel);
        if (wish.Rebuild || runner.WillChangeDependencies(plan))
            await checkpoint.KeepEnvironmentAsync(piku.Host.Environment, cancel);
        if (wish.Rebuild)
        {
            runner.DropDependencies();
            plan = BuildPlan.Create(await facts.ReadAsync(cancel));
        }
        await checkpoint.KeepOutputsAsync(plan.Outputs, piku.Host.Environment, cancel);
        await runner.RunAsync(plan, wish.WithRelease, cancel);
        slot.Dispose();
        var vassals = await _switch.ToAsync(LivePlan.Create(await facts.ReadAsync(cancel)), cancel);
        await _hooks.TellAsync("post-deploy", cancel);
        return vassals;
    }

    private void MakeFolders()
    {
        foreach (var folder in new[] { piku.Paths.Env(app), piku.Paths.AppData(app), piku.Paths.AppLogs(app) })
            piku.Users.Of(app).MakeFolder(folder);
    }

    /// <summary>How a build differs from the next best.</summary>
    private sealed record Build
    {
        /// <summary>Where the objects of the commit are.</summary>
        public Quarantine Quarantine { get; init; } = Quarantine.None;

        /// <summary>Run the release command of the Procfile.</summary>
        public bool WithRelease { get; init; } = true;

        /// <summary>Install all dependencies anew.</summary>
        public bool Rebuild { get; init; }
    }
}
