using System.Diagnostics.CodeAnalysis;
using Piku.Core.Formats;
using Piku.Core.Git;
using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Core.Deploy;

/// <summary>
/// One <c>git push</c>: git receives the objects, the app is deployed while they are in quarantine, and only then
/// do the refs move (D1). Whoever fails, client, deploy, git or this process, refs and app agree afterwards.
/// </summary>
/// <param name="by">Who pushes.</param>
public sealed class Push(Installation piku, AppName app, Deployer by)
{
    /// <summary>Unknown options that a sentence lists.</summary>
    private const int MostNamed = 5;

    /// <summary>How long git may take to move the refs of a version that runs already.</summary>
    private static readonly TimeSpan RefsMayTake = TimeSpan.FromSeconds(30);

    /// <summary>How long git may take to tell a pusher that the server stops.</summary>
    private static readonly TimeSpan RefusalMayTake = TimeSpan.FromSeconds(5);

    /// <summary>How long git may take to clear away what it has received.</summary>
    private static readonly TimeSpan EndMayTake = TimeSpan.FromSeconds(5);

    /// <summary>Asked for each time, because the app gets its user while it is pushed first.</summary>
    private GitRepository Repository => piku.RepositoryOf(app);

    /// <summary>Serves <c>git receive-pack</c> on the given streams.</summary>
    /// <param name="variables">What the client sent for git: GIT_PROTOCOL.</param>
    /// <param name="stopping">The server stops: if <paramref name="cancel"/> comes now, the pusher is there to be told why.</param>
    /// <param name="cancel">The client is gone, or the server's time is over. A version that runs already is kept all the same.</param>
    /// <returns>git's exit status.</returns>
    public async Task<int> ServeAsync(Stream input, OutputSink output, OutputSink error, EnvMap variables, CancellationToken stopping, CancellationToken cancel)
    {
        piku.FirstPushes.Begin(app, isNew: !piku.Apps.Exists(app));
        try
        {
            await piku.Users.EnsureAsync(app, cancel);
            await Repository.EnsureAsync(cancel);
            return await ReceiveWholeAsync(input, output, error, variables, stopping, cancel);
        }
        finally
        {
            await piku.FirstPushes.EndAsync(piku, app);
        }
    }

    private async Task<int> ReceiveWholeAsync(Stream input, OutputSink output, OutputSink error, EnvMap variables, CancellationToken stopping, CancellationToken cancel)
    {
        var isWhole = !Repository.IsShallow;
        try
        {
            return await ReceiveAsync(input, output, error, variables, stopping, cancel);
        }
        finally
        {
            // A shallow clone may push on top of commits that are here but on no branch: git then takes over its end.
            if (isWhole)
                Repository.BeWhole();
        }
    }

    [SuppressMessage("Reliability", "CA2025", Justification = "The deploy is awaited before the hook goes, whatever happens.")]
    private async Task<int> ReceiveAsync(Stream input, OutputSink output, OutputSink error, EnvMap variables, CancellationToken stopping, CancellationToken cancel)
    {
        using var hook = PushHook.Open(piku.Paths, piku.Users.Of(app));
        await using var git = await ChildProcess.StartAsync(ReceivePack(hook, variables) with
        {
            Input = input,
            Output = WhileListening(output),
            Error = WhileListening(error),
            // None: ended by one, git leaves what it has in quarantine (since 2.38).
            StopSignal = 0,
        });
        try
        {
            return await ServeAsync(git, hook, stopping, cancel);
        }
        catch
        {
            // The hook's answer, or the end of its input, has git end in order.
            hook.Finish(1);
            await git.StopAsync(EndMayTake);
            throw;
        }
    }

    [SuppressMessage("Reliability", "CA2025", Justification = "The deploy is awaited before the token's source goes.")]
    private async Task<int> ServeAsync(ChildProcess git, PushHook hook, CancellationToken stopping, CancellationToken cancel)
    {
        using var whileGitRuns = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var deploying = DeployAsync(hook, stopping, whileGitRuns.Token);
        if (await Task.WhenAny(git.Exit, deploying) == git.Exit)
            await whileGitRuns.CancelAsync();
        return await NullIfCancelledAsync(deploying) is { } deployed
            ? await FollowRefsAsync(git, deployed)
            : await RefusedAsync(git, stopping, cancel);
    }

    private static async Task<int> RefusedAsync(ChildProcess git, CancellationToken stopping, CancellationToken cancel)
    {
        if (stopping.IsCancellationRequested && cancel.IsCancellationRequested)
            await Task.WhenAny(git.Exit, Task.Delay(RefusalMayTake, CancellationToken.None));
        return git.Exit.IsCompletedSuccessfully ? (await git.Exit).ShellCode : (await git.Exit.WaitAsync(cancel)).ShellCode;
    }

    private ProgramCall ReceivePack(PushHook hook, EnvMap variables) => piku.GitOf(app).Serve(
        Repository.Folder,
        [
            "-c", $"core.hooksPath={PushHook.HooksFolder(piku.Paths)}",
            "-c", "receive.denyDeleteCurrent=ignore",
            "-c", "receive.advertisePushOptions=true",
            "-c", "receive.shallowUpdate=true", // for us to refuse, with a sentence that git does not have
            "-c", "gc.autoDetach=false",
            .. GitRepository.HidingOurs,
            "receive-pack", Repository.Folder,
        ],
        variables.WithAll([hook.Variable]));

    /// <summary>Answers the hook. Returns the version that runs now and waits for its refs, or null when nothing is to be kept or undone.</summary>
    private async Task<RunningVersion?> DeployAsync(PushHook hook, CancellationToken stopping, CancellationToken cancel)
    {
        var log = new DeployLog(hook.Answer.WriteAsync);
        RunningVersion? version = null;
        try
        {
            var request = await hook.ReadAsync(cancel);
            piku.FirstPushes.Keep(app);
            version = await DeployAsync(request, log, cancel);
            hook.Finish(0);
            return version;
        }
        catch (Exception wrong) when (wrong is UserError || Shortage.Of(wrong) is not null)
        {
            if (version is not null)
                await version.DisposeAsync();
            await log.LineAsync($"Error: {Shortage.Of(wrong) ?? wrong.Message}", cancel);
            hook.Finish(1);
            return null;
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            if (version is not null)
                await version.DisposeAsync();
            using var patience = new CancellationTokenSource(RefusalMayTake);
            await log.LineAsync("Error: the server is stopping before the deploy was done; nothing has changed. Push again when it is back.", patience.Token);
            hook.Finish(1);
            return null;
        }
        catch
        {
            if (version is not null)
                await version.DisposeAsync();
            throw;
        }
    }

    private async Task<RunningVersion?> DeployAsync(PushRequest request, DeployLog log, CancellationToken cancel)
    {
        var wish = PushOptions.Parse(request.Options);
        if (!wish.Unknown.IsEmpty)
            await log.WarnAsync($"ignored unknown push options: {string.Join(", ", wish.Unknown.Distinct().Take(MostNamed).Select(option => $"'{option}'"))}. Available: no-deploy, rebuild, branch=NAME.", cancel);
        if (!await Repository.HasHistoryOfAsync(request.Updates.Where(update => !update.IsDeletion).Select(update => update.New), request.Quarantine, cancel))
            throw new UserError("this clone is shallow, and the server does not have the commits that it lacks: run 'git fetch --unshallow' (in GitHub's checkout action: fetch-depth: 0) and push again.");
        if (wish.NoDeploy)
        {
            await log.StepAsync("Nothing is deployed, as you asked (no-deploy); 'deploy' builds what was pushed.", cancel);
            return null;
        }
        var target = DeployTarget.Choose(request.Updates, wish.Branch ?? await PinnedBranchAsync(request, cancel));
        if (target is null && wish.Branch is not null)
            throw new UserError($"this push has no branch '{wish.Branch}', which its option asks to deploy; push that branch too.");
        if (target is null)
        {
            await log.StepAsync("Nothing to deploy: no branch that this app runs was pushed.", cancel);
            return null;
        }
        if (target.Branch.Contains('\uFFFD', StringComparison.Ordinal))
            throw new UserError("the name of the branch is not UTF-8: rename it, and push again.");
        if (!await Repository.IsCommitAsync(target.Commit, request.Quarantine, cancel))
            throw new UserError($"what was pushed to '{target.Branch}' is a tag or another object and no commit, which is all that a branch can be: push TAG^{{commit}}:{target.Branch} instead.");
        return await new Deployment(piku, app, by, log).PushedAsync(
            target, request.Updates.First(update => update.Branch == target.Branch).Before, request.Quarantine, wish.Rebuild, cancel);
    }

    /// <summary>PIKU_DEPLOY_BRANCH as config:set has it, or else as the ENV file of any pushed branch has it.</summary>
    private async Task<string?> PinnedBranchAsync(PushRequest request, CancellationToken cancel)
    {
        const string Setting = "PIKU_DEPLOY_BRANCH";
        if (piku.Apps.Config(app).Find(Setting) is { } configured)
            return configured;
        foreach (var update in request.Updates.Where(update => update is { Branch: not null, IsDeletion: false }))
        {
            var text = await Repository.FileOfAsync(update.New, "ENV", request.Quarantine, cancel) ?? "";
            if (EnvMap.From(EnvFile.ParseAnyNames(text, "ENV")).Find(Setting) is { } branch)
                return branch;
        }
        return null;
    }

    /// <summary>
    /// The new version runs. It stays if git moves the refs, and goes if, against all odds, git does not. The pusher need
    /// not wait for the end of the version before.
    /// </summary>
    private async Task<int> FollowRefsAsync(ChildProcess git, RunningVersion version)
    {
        var haveMoved = false;
        try
        {
            var status = await RefsMovedAsync(git);
            haveMoved = await Repository.CommitOfAsync(version.Target.Branch, CancellationToken.None) == version.Target.Commit;
            if (haveMoved)
                await Repository.PointHeadAtAsync(version.Target.Branch, CancellationToken.None);
            return status;
        }
        finally
        {
            if (haveMoved)
                piku.Aftermath.Add(KeepAsync(version));
            else
                await version.DisposeAsync();
        }
    }

    private static async Task<int> RefsMovedAsync(ChildProcess git)
    {
        try
        {
            return (await git.Exit.WaitAsync(RefsMayTake)).ShellCode;
        }
        catch (Exception failure) when (failure is TimeoutException or IOException)
        {
            await git.StopAsync(EndMayTake);
            return 1;
        }
    }

    private static async Task KeepAsync(RunningVersion version)
    {
        await using (version)
            await version.KeepAsync(DeployLog.Silent); // the hook, and with it the reader, has ended
    }

    /// <summary>A reader that is gone must not end git in the middle of moving refs: from then on its words are dropped.</summary>
    private static OutputSink WhileListening(OutputSink sink)
    {
        var gone = false;
        return async (bytes, cancel) =>
        {
            if (gone)
                return;
            try
            {
                await sink(bytes, cancel);
            }
            catch (Exception failure) when (failure is IOException or OperationCanceledException)
            {
                gone = true;
            }
        };
    }

    private static async Task<RunningVersion?> NullIfCancelledAsync(Task<RunningVersion?> deploying)
    {
        try
        {
            return await deploying;
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }
}
