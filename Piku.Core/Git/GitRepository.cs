using Piku.Core.Model;

namespace Piku.Core.Git;

/// <summary>The bare repository of one app, which people push to and clone from: <c>repos/APP</c>.</summary>
public sealed class GitRepository(GitProgram git, PikuPaths paths, AppName app)
{
    /// <summary>Ours alone: neither shown to clients nor changed by them (git-config(1), transfer.hideRefs).</summary>
    private const string ReleaseRefs = "refs/piku/releases";

    /// <summary>git's options for whoever serves clients.</summary>
    public static readonly string[] HidingOurs = ["-c", "transfer.hideRefs=refs/piku"];

    public string Folder { get; } = paths.Repo(app);

    public bool Exists => File.Exists(Path.Combine(Folder, "HEAD"));

    /// <summary>Makes the repository if there is none. Made beside its place and renamed, so that it is whole or not there.</summary>
    public async Task EnsureAsync(CancellationToken cancel)
    {
        if (Exists)
            return;
        Directory.CreateDirectory(paths.Repos);
        var making = $"{Folder}.{Guid.NewGuid():N}.new";
        try
        {
            await git.RunAsync(paths.Repos, ["init", "--quiet", "--bare", "--initial-branch=main", making], cancel);
            if (!Exists)
                Directory.Move(making, Folder);
        }
        catch (IOException) when (Exists)
        {
            // Two first pushes at once: the other one made it.
        }
        finally
        {
            if (Directory.Exists(making))
                Directory.Delete(making, recursive: true);
        }
    }

    /// <summary>
    /// Removes what a git that was killed has left: objects in quarantine (git-receive-pack(1)), and locks, which nobody
    /// would ever give back. For when no git is at work here.
    /// </summary>
    public void RemoveLeftovers()
    {
        if (!Exists)
            return;
        foreach (var quarantine in Directory.GetDirectories(Path.Combine(Folder, "objects"), "tmp_objdir-*"))
            Directory.Delete(quarantine, recursive: true);
        foreach (var file in Directory.GetFiles(Folder, "*.lock").Concat(Directory.GetFiles(Path.Combine(Folder, "refs"), "*.lock", SearchOption.AllDirectories)))
            File.Delete(file);
    }

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

    /// <summary>A file of a commit that may still be in quarantine; null when the commit has no such file.</summary>
    public async Task<string?> FileOfAsync(string commit, string file, Quarantine quarantine, CancellationToken cancel)
    {
        var (status, output) = await git.AskAsync(Folder, ["cat-file", "blob", $"{commit}:{file}"], quarantine, cancel);
        return status == 0 ? output : null;
    }

    public async Task<bool> HasCommitAsync(string commit, CancellationToken cancel) =>
        (await git.AskAsync(Folder, ["cat-file", "-e", $"{commit}^{{commit}}"], Quarantine.None, cancel)).Status == 0;

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
