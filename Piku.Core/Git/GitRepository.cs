using System.Text;
using Piku.Core.Formats;
using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Core.Git;

/// <summary>The bare repository of one app, which people push to and clone from: <c>repos/APP</c>.</summary>
public sealed class GitRepository(GitProgram git, PikuPaths paths, AppName app)
{
    /// <summary>Ours alone: neither shown to clients nor changed by them (git-config(1), transfer.hideRefs).</summary>
    private const string ReleaseRefs = "refs/piku/releases";

    /// <summary>In bytes: no text file of an app that we read is longer.</summary>
    private const long LongestFile = 4 << 20;

    /// <summary>git's options for whoever serves clients.</summary>
    public static readonly string[] HidingOurs = ["-c", "transfer.hideRefs=refs/piku"];

    public string Folder { get; } = paths.Repo(app);

    public bool Exists => File.Exists(Path.Combine(Folder, "HEAD"));

    private string ShallowFile => Path.Combine(Folder, "shallow");

    /// <summary>True when somebody has put a repository here that does not have all commits (gitrepository-layout(5), shallow).</summary>
    public bool IsShallow => File.Exists(ShallowFile);

    /// <summary>Has git look behind the commits at which a pusher's clone ended, when all that is before them is here.</summary>
    public void BeWhole() => File.Delete(ShallowFile);

    /// <summary>Makes the repository if there is none. Made beside its place and renamed, so that it is whole or not there.</summary>
    public async Task EnsureAsync(CancellationToken cancel)
    {
        if (Exists)
            return;
        Directory.CreateDirectory(paths.Repos);
        var making = $"{Folder}.{Guid.NewGuid():N}.new";
        try
        {
            git.User.MakeFolder(making);
            await git.RunAsync(making, ["init", "--quiet", "--bare", "--initial-branch=main", "."], cancel);
            if (!Exists)
                Directory.Move(making, Folder);
        }
        catch (IOException) when (Exists)
        {
            // Two first pushes at once: the other one made it.
        }
        finally
        {
            WholeFolder.Remove(making);
        }
    }

    /// <summary>
    /// Removes what a git that was killed has left: objects in quarantine (git-receive-pack(1)), and locks, which nobody
    /// would ever give back. For when no git is at work here.
    /// </summary>
    public void RemoveLeftovers() => git.User.Do(() => RemoveLeftovers(Folder));

    /// <summary>The same for any bare repository, or what was to become one; for who acts as its owner.</summary>
    internal static void RemoveLeftovers(string bare)
    {
        foreach (var quarantine in Directory.Exists(Path.Combine(bare, "objects")) ? Directory.GetDirectories(Path.Combine(bare, "objects"), "tmp_objdir-*") : [])
            WholeFolder.Remove(quarantine);
        foreach (var file in Files("", "*.lock").Concat(Files("refs", "*.lock", WholeFolder.Below)).Concat(Files("objects/pack", "tmp_*")))
            File.Delete(file);

        string[] Files(string folder, string names, EnumerationOptions? how = null) =>
            Directory.Exists(Path.Combine(bare, folder)) ? Directory.GetFiles(Path.Combine(bare, folder), names, how ?? WholeFolder.Within) : [];
    }

    /// <summary>True when anything was pushed and accepted.</summary>
    public async Task<bool> HasRefsAsync(CancellationToken cancel) =>
        Exists && (await git.AskAsync(Folder, ["for-each-ref", "--count=1"], Quarantine.None, cancel)).Output.Length > 0;

    /// <summary>The commit of a branch, or null when there is no such branch.</summary>
    public async Task<string?> CommitOfAsync(string branch, CancellationToken cancel)
    {
        var (status, output) = await git.AskAsync(Folder, ["rev-parse", "--verify", "--quiet", $"refs/heads/{branch}^{{commit}}"], Quarantine.None, cancel);
        return status == 0 ? output.Trim() : null;
    }

    /// <summary>The branches, newest commit first.</summary>
    public async Task<IReadOnlyList<string>> BranchesAsync(CancellationToken cancel)
    {
        var (_, output) = await git.AskAsync(Folder, ["for-each-ref", "--sort=-committerdate", "--format=%(refname:lstrip=2)", "refs/heads"], Quarantine.None, cancel);
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>A text file of a commit that may still be in quarantine; null when the commit has no such file, also behind links.</summary>
    /// <exception cref="UserError">It is no text, or too long for one.</exception>
    public async Task<string?> FileOfAsync(string commit, string file, Quarantine quarantine, CancellationToken cancel)
    {
        using var name = new MemoryStream(Encoding.UTF8.GetBytes($"{commit}:{file}\n"));
        var call = git.Serve(Folder, ["cat-file", "--batch", "--follow-symlinks"], quarantine.AddTo(EnvMap.Empty));
        using var answer = new MemoryStream();
        await ChildProcess.RunAsync(call with
        {
            Input = name,
            Output = (bytes, _) =>
            {
                answer.Write(bytes.Span[..(int)Math.Min(bytes.Length, LongestFile - answer.Length)]);
                return ValueTask.CompletedTask;
            },
        }, cancel);
        return answer.Length < LongestFile ? Blob(answer.GetBuffer().AsSpan(0, (int)answer.Length), file)
            : throw new UserError($"{file} is longer than {LongestFile >> 20} MiB.");
    }

    /// <summary>Of <c>1234567… blob 12 LF content LF</c> the content; null for an answer that has none.</summary>
    private static string? Blob(ReadOnlySpan<byte> answer, string file) =>
        answer.IndexOf((byte)'\n') is var end and >= 0 && Encoding.ASCII.GetString(answer[..end]).Split(' ') is [_, "blob", _]
            ? AppText.Read(answer[(end + 1)..^1], file)
            : null;

    public async Task<bool> HasCommitAsync(string commit, CancellationToken cancel) =>
        (await git.AskAsync(Folder, ["cat-file", "-e", $"{commit}^{{commit}}"], Quarantine.None, cancel)).Status == 0;

    /// <summary>True for a commit itself, and not for a tag of one; it may still be in quarantine.</summary>
    public async Task<bool> IsCommitAsync(string id, Quarantine quarantine, CancellationToken cancel) =>
        (await git.AskAsync(Folder, ["cat-file", "-t", id], quarantine, cancel)).Output.Trim() == "commit";

    /// <summary>False when commits before these are neither here nor in quarantine, as after a push from a shallow clone.</summary>
    public async Task<bool> HasHistoryOfAsync(IEnumerable<string> ids, Quarantine quarantine, CancellationToken cancel)
    {
        using var tips = new MemoryStream(Encoding.ASCII.GetBytes(string.Concat(ids.Select(id => id + "\n"))));
        var call = git.Serve(Folder, ["rev-list", "--quiet", "--stdin", "--not", "--all"], quarantine.AddTo(EnvMap.Empty));
        return (await ChildProcess.CaptureAsync(call with { Input = tips }, cancel)).Status.Succeeded;
    }

    /// <summary>
    /// Keeps git from throwing away the commits of these releases, and of no others: a force push or a deleted branch
    /// leaves them reachable by a ref that no client sees. A commit that is not there any more is passed over.
    /// </summary>
    public async Task KeepReleasesAsync(IReadOnlyDictionary<int, string> commits, CancellationToken cancel)
    {
        var (_, output) = await git.AskAsync(Folder, ["for-each-ref", "--format=%(refname) %(objectname)", ReleaseRefs], Quarantine.None, cancel);
        var present = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ')).ToDictionary(parts => parts[0], parts => parts[1]);
        var wanted = commits.ToDictionary(pair => $"{ReleaseRefs}/{pair.Key}", pair => pair.Value);
        foreach (var (name, commit) in wanted.Where(pair => present.GetValueOrDefault(pair.Key) != pair.Value))
            await git.AskAsync(Folder, ["update-ref", name, commit], Quarantine.None, cancel);
        foreach (var name in present.Keys.Except(wanted.Keys))
            await git.AskAsync(Folder, ["update-ref", "-d", name], Quarantine.None, cancel);
    }

    /// <summary>Lets <c>git clone</c> check out what runs, unless HEAD already names a branch that exists.</summary>
    public async Task PointHeadAtAsync(string branch, CancellationToken cancel)
    {
        var (status, _) = await git.AskAsync(Folder, ["rev-parse", "--verify", "--quiet", "HEAD"], Quarantine.None, cancel);
        if (status != 0)
            await git.RunAsync(Folder, ["symbolic-ref", "HEAD", $"refs/heads/{branch}"], cancel);
    }
}
