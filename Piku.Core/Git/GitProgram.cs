using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Core.Git;

/// <summary>
/// Runs the <c>git</c> program with a fixed environment and settings, so that no variable or configuration of ours or of a
/// user's changes what it does: neither <c>~/.gitconfig</c> and <c>/etc/gitconfig</c>, nor what a build step has set in the
/// repository at hand (git-config(1)).
/// </summary>
/// <param name="environment">HOME and PATH, and what else git is to see.</param>
/// <param name="user">
/// Whom git runs as, and whose the repositories are: a repository's own settings name programs, so that whoever can change
/// them has git run what they like. Ourselves by default.
/// </param>
public sealed class GitProgram(EnvMap environment, Owner? user = null)
{
    /// <summary>Never ask on a terminal that is not there, and speak the language our users' search engines know.</summary>
    private static readonly EnvMap Always = EnvMap.Empty.With("GIT_TERMINAL_PROMPT", "0").With("LC_ALL", "C.UTF-8");

    /// <summary>No configuration but the repository's own.</summary>
    private static readonly EnvMap NobodysSettings =
        EnvMap.Empty.With("GIT_CONFIG_NOSYSTEM", "1").With("GIT_CONFIG_GLOBAL", "/dev/null").With("GIT_ATTR_NOSYSTEM", "1");

    /// <summary>Whom git runs as.</summary>
    public Owner User { get; } = user ?? Owner.Self;

    private bool ReadsUsersSettings { get; init; }

    /// <summary>
    /// One that also reads the user's own <c>~/.gitconfig</c>: for asking other servers, where credential helpers, proxies
    /// and such are that person's business.
    /// </summary>
    public GitProgram WithUsersSettings() => new(environment, User) { ReadsUsersSettings = true };

    /// <summary>Runs git to its end.</summary>
    /// <exception cref="UserError">git failed; the message is git's own.</exception>
    public async Task RunAsync(string folder, IReadOnlyList<string> arguments, CancellationToken cancel)
    {
        var run = await ChildProcess.CaptureAsync(Call(folder, arguments, Quarantine.None), cancel);
        if (!run.Status.Succeeded)
            throw Failed(folder, arguments, run.Status, run.Error);
    }

    /// <summary>Runs git to its end and shows what it says.</summary>
    /// <exception cref="UserError">git failed; what it said has been shown.</exception>
    public async Task RunAsync(
        string folder, IReadOnlyList<string> arguments, Quarantine quarantine, OutputSink output, CancellationToken cancel)
    {
        var status = await ChildProcess.RunAsync(Call(folder, arguments, quarantine) with { Output = output }, cancel);
        if (!status.Succeeded)
            throw Failed(folder, arguments, status, "");
    }

    /// <summary>Asks git something: its exit status and standard output.</summary>
    public async Task<(int Status, string Output)> AskAsync(
        string folder, IReadOnlyList<string> arguments, Quarantine quarantine, CancellationToken cancel)
    {
        var run = await ChildProcess.CaptureAsync(Call(folder, arguments, quarantine), cancel);
        return (run.Status.ShellCode, run.Output);
    }

    /// <summary>One side of a conversation with another git: receive-pack, upload-pack or upload-archive.</summary>
    /// <param name="variables">What git is to see beyond its usual environment, such as GIT_PROTOCOL.</param>
    public ProgramCall Serve(string folder, IReadOnlyList<string> arguments, EnvMap variables)
    {
        var call = Call(folder, arguments, Quarantine.None);
        return call with { Environment = call.Environment.WithAll(variables) };
    }

    private ProgramCall Call(string folder, IReadOnlyList<string> arguments, Quarantine quarantine)
    {
        var tree = arguments[0] == "init" ? null : GitSettings.FolderOfTree(folder);
        var filters = tree is null ? [] : User.Do(() => GitSettings.FiltersIn(tree));
        var ours = environment.WithAll(Always).WithAll(ReadsUsersSettings ? EnvMap.Empty : NobodysSettings);
        return new()
        {
            Program = "git",
            Arguments = [.. GitSettings.Ours, .. filters, .. arguments],
            Folder = folder,
            // Named so, the tree is what it is, whatever core.bare and core.worktree say of it.
            Environment = quarantine.AddTo(tree is null ? ours : ours.With("GIT_DIR", tree).With("GIT_WORK_TREE", folder)),
            User = User,
        };
    }

    /// <summary>What git says of its failure. Of a full disk it may say no more than that it could not write a file.</summary>
    internal static UserError Failed(string folder, IReadOnlyList<string> arguments, ExitStatus status, string said)
    {
        var failure = $"git {arguments[0]} failed ({status}){(said.Length == 0 ? "." : ": " + said.Trim())}";
        return new(Shortage.OfDisk(folder) is { } full ? $"{full} {failure}" : failure);
    }
}
