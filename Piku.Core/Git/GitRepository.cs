using Piku.Core.Model;

namespace Piku.Core.Git;

/// <summary>The bare repository of one app, which people push to and clone from: <c>repos/APP</c>.</summary>
public sealed class GitRepository(GitProgram git, PikuPaths paths, AppName app)
{
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

    /// <summary>Lets <c>git clone</c> check out what runs, unless HEAD already names a branch that exists.</summary>
    public async Task PointHeadAtAsync(string branch, CancellationToken cancel)
    {
        var (status, _) = await git.AskAsync(Folder, ["rev-parse", "--verify", "--quiet", "HEAD"], Quarantine.None, cancel);
        if (status != 0)
            await git.RunAsync(Folder, ["symbolic-ref", "HEAD", $"refs/heads/{branch}"], cancel);
    }
}
