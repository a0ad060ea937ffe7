using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Core.Git;

/// <summary>Runs the <c>git</c> program with a fixed environment, so that no variable of ours or of a user's changes what it does.</summary>
/// <param name="environment">HOME and PATH, and what else git is to see.</param>
/// <param name="user">
/// Whom git runs as, and whose the repositories are: a repository's own settings name programs, so that whoever can change
/// them has git run what they like. Ourselves by default.
/// </param>
public sealed class GitProgram(EnvMap environment, Owner? user = null)
{
    /// <summary>Never ask on a terminal that is not there, and speak the language our users' search engines know.</summary>
    private static readonly EnvMap Always = EnvMap.Empty.With("GIT_TERMINAL_PROMPT", "0").With("LC_ALL", "C.UTF-8");

    /// <summary>Whom git runs as.</summary>
    public Owner User { get; } = user ?? Owner.Self;

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
    public ProgramCall Serve(string folder, IReadOnlyList<string> arguments, EnvMap variables) =>
        Call(folder, arguments, Quarantine.None) with { Environment = environment.WithAll(Always).WithAll(variables) };

    private ProgramCall Call(string folder, IReadOnlyList<string> arguments, Quarantine quarantine) => new()
    {
        Program = "git",
        Arguments = arguments,
        Folder = folder,
        Environment = quarantine.AddTo(environment.WithAll(Always)),
        User = User,
    };

    /// <summary>What git says of its failure. Of a full disk it may say no more than that it could not write a file.</summary>
    internal static UserError Failed(string folder, IReadOnlyList<string> arguments, ExitStatus status, string said)
    {
        var failure = $"git {arguments[0]} failed ({status}){(said.Length == 0 ? "." : ": " + said.Trim())}";
        return new(Shortage.OfDisk(folder) is { } full ? $"{full} {failure}" : failure);
    }
}
