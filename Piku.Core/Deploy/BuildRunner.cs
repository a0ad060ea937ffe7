using System.Collections.Immutable;
using Piku.Core.Apps;
using Piku.Core.Git;
using Piku.Core.Machine;
using Piku.Core.Model;
using Piku.Core.Runtimes;

namespace Piku.Core.Deploy;

/// <summary>Does what a <see cref="BuildPlan"/> says: the one place where an app's build and shell commands are run.</summary>
/// <param name="folder">Where the app is.</param>
/// <param name="quarantine">
/// Where the objects of the commit are that is checked out. Builds look at it: <c>go build</c> stamps programs with it,
/// others number their versions by it, and all fail in a tree without its commit.
/// </param>
internal sealed class BuildRunner(PikuPaths paths, AppName app, string folder, Quarantine quarantine, DeployLog log)
{
    private readonly BuildProcesses _processes = new(paths, app);
    private readonly Owner _user = AppUsers.Of(paths, app);
    private readonly DependencyHashes _hashes = new(paths, app);

    /// <summary>True when a step will change what is installed for a version that may be running.</summary>
    public bool WillChangeDependencies(BuildPlan plan) =>
        plan.Steps.Any(step => HashOf(step) is { } hash && !IsUpToDate(step, hash));

    /// <summary>Removes what is installed for the app, so that every step installs anew; its settings stay.</summary>
    public void DropDependencies()
    {
        var settings = new KeptDependencies(paths, app).SettingsIn(paths.Env(app)).ToHashSet();
        _user.Do(() =>
        {
            foreach (var entry in new DirectoryInfo(paths.Env(app)).EnumerateFileSystemInfos().Where(entry => !settings.Contains(entry.FullName)))
            {
                if (entry is DirectoryInfo { LinkTarget: null } whole)
                    WholeFolder.Remove(whole.FullName);
                else
                    entry.Delete();
            }
        });
        _hashes.ForgetAll();
    }

    /// <summary>Does all that a plan says before workers are touched.</summary>
    /// <param name="withRelease">False to leave out the release command.</param>
    /// <exception cref="UserError">A step failed, or all together took too long; nothing that they started is left.</exception>
    public async Task RunAsync(BuildPlan plan, bool withRelease, CancellationToken cancel)
    {
        using var within = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        within.CancelAfter(plan.Limit);
        try
        {
            await ShellAsync("preflight", plan.Preflight, within.Token);
            await RunAsync(plan.Steps, within.Token);
            await ShellAsync("release", withRelease ? plan.Release : null, within.Token);
        }
        catch (OperationCanceledException failure) when (!cancel.IsCancellationRequested)
        {
            _processes.End();
            throw new UserError($"preflight, build and release took longer than {plan.Limit.TotalSeconds:0} s together and were ended; set PIKU_BUILD_TIMEOUT to allow more.", failure);
        }
        catch
        {
            _processes.End();
            throw;
        }
    }

    /// <exception cref="UserError">The command failed.</exception>
    private async Task ShellAsync(string kind, ShellCommand? command, CancellationToken cancel)
    {
        if (command is null)
            return;
        await log.StepAsync($"Running {kind}", cancel);
        var processes = new BuildProcesses(paths, app);
        try
        {
            var status = await RunAsync(["/bin/sh", "-c", command.Line], command.Folder, command.Environment, processes, cancel);
            if (!status.Succeeded)
                throw new UserError($"the {kind} command of the Procfile failed with {status}.");
        }
        finally
        {
            processes.End();
        }
    }

    /// <exception cref="UserError">A step failed; what it said has been shown.</exception>
    private async Task RunAsync(IEnumerable<BuildStep> steps, CancellationToken cancel)
    {
        foreach (var step in steps)
        {
            var hash = HashOf(step);
            if (hash is not null && IsUpToDate(step, hash))
                continue;
            await log.StepAsync(step.Title, cancel);
            _hashes.Forget(DependencyHashes.KeyOf(step));
            foreach (var action in step.Actions)
                await ActAsync(action, cancel);
            if (hash is not null)
                _hashes.Remember(DependencyHashes.KeyOf(step), hash);
        }
    }

    private async Task ActAsync(BuildAction action, CancellationToken cancel)
    {
        if (action is BuildAction.Run run)
            await RunAsync(run, cancel);
        else
            _user.Do(() => Act(action));
    }

    private static void Act(BuildAction action)
    {
        switch (action)
        {
            case BuildAction.MakeFolder make:
                Directory.CreateDirectory(make.Path);
                break;
            case BuildAction.CopyFile copy:
                if (!AtomicFile.Copy(copy.From, copy.To, AtomicFile.Readable))
                    File.Delete(copy.To);
                break;
            case BuildAction.Link link when !Path.Exists(link.Path):
                File.CreateSymbolicLink(link.Path, link.Target);
                break;
            default:
                break;
        }
    }

    private async Task RunAsync(BuildAction.Run run, CancellationToken cancel)
    {
        _user.Do(() => Directory.CreateDirectory(run.Folder));
        var status = await RunAsync(run.Argv, run.Folder, run.Environment, _processes, cancel);
        if (!status.Succeeded)
            throw new UserError($"'{string.Join(' ', run.Argv)}' failed with {status}.");
    }

    /// <summary>A program of the build, as the app's user, and marked as one of these processes.</summary>
    private Task<ExitStatus> RunAsync(ImmutableArray<string> argv, string folder, EnvMap environment, BuildProcesses processes, CancellationToken cancel) =>
        ChildProcess.RunAsync(
            new()
            {
                Program = argv[0],
                Arguments = argv[1..],
                Folder = folder,
                User = _user,
                Environment = quarantine.AddTo(environment),
                Mark = processes.Mark,
                Output = log.Output,
            },
            cancel);

    private bool IsUpToDate(BuildStep step, string hash) => !step.IsMissing && _hashes.Has(DependencyHashes.KeyOf(step), hash);

    /// <summary>Null for a step that runs at every deploy.</summary>
    private string? HashOf(BuildStep step) => step is { Inputs: [], InputValues: [] } ? null
        : _user.Do(() => DependencyHashes.Of(step.InputValues, step.Inputs.Select(file => Path.Combine(folder, file))));
}
