using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Core.Git;

/// <summary>
/// The app's own checkout, <c>apps/APP</c>. It borrows all objects from <c>repos/APP</c> (gitrepository-layout(5),
/// objects/info/alternates), so a checkout copies no history, and it can show a commit that is still in quarantine.
/// Files that git does not track, which an app wrote for itself, stay.
/// </summary>
public sealed class WorkTree(GitProgram git, PikuPaths paths, AppName app)
{
    private readonly string _folder = paths.App(app);

    /// <summary>The branch and commit that is checked out, or null before the first checkout.</summary>
    public async Task<DeployTarget?> CurrentAsync(CancellationToken cancel)
    {
        if (!Directory.Exists(Path.Combine(_folder, ".git")))
            return null;
        var (status, commit) = await git.AskAsync(_folder, ["rev-parse", "--verify", "--quiet", "HEAD"], Quarantine.None, cancel);
        if (status != 0)
            return null;
        var (_, branch) = await git.AskAsync(_folder, ["symbolic-ref", "--quiet", "--short", "HEAD"], Quarantine.None, cancel);
        return new(branch.Trim() is { Length: > 0 } name ? name : "HEAD", commit.Trim());
    }

    /// <summary>What a checkout of another commit takes from the tree as it is.</summary>
    /// <param name="target">The other commit.</param>
    /// <param name="quarantine">Where its objects are if they are not in the repository yet.</param>
    public async Task<TreeSize> ReplacedByAsync(DeployTarget target, Quarantine quarantine, CancellationToken cancel)
    {
        var indexes = new DirectoryInfo(Path.Combine(_folder, ".git")) is { Exists: true } kept ? kept.GetFiles("*index") : [];
        if (indexes.Length == 0)
            return new(0, 0);
        var (_, names) = await git.AskAsync(_folder, ["diff-tree", "-r", "-z", "--no-renames", "--name-only", "HEAD", target.Commit], quarantine, cancel);
        return git.User.Do(() =>
        {
            var files = names.Split('\0', StringSplitOptions.RemoveEmptyEntries).SelectMany(name => FilesAt(Path.Combine(_folder, name))).ToList();
            // git writes an index beside itself, twice.
            return new TreeSize(files.Count, files.Concat(indexes).Concat(indexes).Sum(file => TreeSize.Blocks(file.Length)));
        });
    }

    /// <summary>A folder is a submodule's.</summary>
    private static IEnumerable<FileInfo> FilesAt(string path) =>
        new DirectoryInfo(path) is { Exists: true, LinkTarget: null } folder ? folder.EnumerateFiles("*", WholeFolder.Below)
        : new FileInfo(path) is { Exists: true } file ? [file]
        : [];

    /// <summary>True when files are kept in git-lfs, as a <c>.gitattributes</c> of any folder says: what is checked out of them are pointers (git-lfs-track(1)).</summary>
    public async Task<bool> HasLargeFilesAsync(CancellationToken cancel)
    {
        var (_, names) = await git.AskAsync(_folder, ["ls-files", "-z", "--", ":(glob)**/.gitattributes"], Quarantine.None, cancel);
        return git.User.Do(() => names.Split('\0', StringSplitOptions.RemoveEmptyEntries).Any(name =>
            (AtomicFile.ReadIfExists(Path.Combine(_folder, name)) ?? "").Contains("filter=lfs", StringComparison.Ordinal)));
    }

    /// <summary>Makes the working tree what the commit says, submodules included.</summary>
    /// <param name="target">What to check out.</param>
    /// <param name="quarantine">Where its objects are if they are not in the repository yet.</param>
    /// <param name="fetching">How long it may take to fetch submodules.</param>
    /// <param name="output">What git says meanwhile.</param>
    /// <param name="cancel">Stops git; the tree may then be half changed.</param>
    /// <exception cref="UserError">git failed; if a submodule is not to be had, no file has changed.</exception>
    public async Task CheckOutAsync(DeployTarget target, Quarantine quarantine, TimeSpan fetching, OutputSink output, CancellationToken cancel)
    {
        await EnsureAsync(cancel);
        var submodules = new Submodules(git, _folder, quarantine, output);
        var whole = await submodules.WholeTreeOfAsync(target.Commit, fetching, cancel);
        await new TreeUpdate(git, _folder, submodules.Objects).RunAsync(target.Commit, whole, cancel);
        await PointHeadAsync(target, quarantine, output, cancel);
        await new Tags(git, paths.Repo(app), _folder, quarantine).FollowAsync(cancel);
    }

    /// <summary>A tree that was on no branch, <c>HEAD</c>, stays on none.</summary>
    private async Task PointHeadAsync(DeployTarget target, Quarantine quarantine, OutputSink output, CancellationToken cancel)
    {
        if (target.Branch != "HEAD")
            await git.RunAsync(_folder, ["symbolic-ref", "HEAD", $"refs/heads/{target.Branch}"], quarantine, output, cancel);
        await git.RunAsync(_folder, ["update-ref", .. target.Branch == "HEAD" ? ["--no-deref"] : Array.Empty<string>(), "HEAD", target.Commit], quarantine, output, cancel);
    }

    /// <summary>Removes what a git that was killed has left. For when no git is at work here.</summary>
    public void RemoveLeftovers() => git.User.Do(() =>
    {
        var folder = new DirectoryInfo(Path.Combine(_folder, ".git"));
        if (!folder.Exists)
            return;
        foreach (var file in folder.EnumerateFiles("*.lock").Concat(new DirectoryInfo(Path.Combine(folder.FullName, "refs")).EnumerateFiles("*.lock", WholeFolder.Below)).ToList())
            file.Delete();
        new TreeUpdate(git, _folder, Quarantine.None).RemoveLeftovers();
        new Submodules(git, _folder, Quarantine.None, (_, _) => ValueTask.CompletedTask).RemoveLeftovers();
    });

    private async Task EnsureAsync(CancellationToken cancel)
    {
        git.User.MakeFolder(_folder);
        if (!Directory.Exists(Path.Combine(_folder, ".git")))
        {
            await git.RunAsync(_folder, ["init", "--quiet"], cancel);
            await git.RunAsync(_folder, ["remote", "add", "origin", paths.Repo(app)], cancel);
        }
        git.User.Do(BorrowObjects);
    }

    /// <summary>When the installation has been brought elsewhere: the repository is not where the tree looks for it.</summary>
    public async Task FollowRepositoryAsync(CancellationToken cancel)
    {
        if (!Directory.Exists(Path.Combine(_folder, ".git")))
            return;
        git.User.Do(BorrowObjects);
        await git.AskAsync(_folder, ["remote", "set-url", "origin", paths.Repo(app)], Quarantine.None, cancel);
    }

    /// <summary>Also for a tree that upstream cloned, which has objects of its own. A lender that is gone is forgotten.</summary>
    private void BorrowObjects()
    {
        var file = Path.Combine(_folder, ".git", "objects", "info", "alternates");
        var lender = Path.Combine(paths.Repo(app), "objects");
        var lenders = (AtomicFile.ReadIfExists(file) ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (lenders.Contains(lender))
            return;
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        AtomicFile.Write(file, string.Concat(lenders.Where(Directory.Exists).Append(lender).Select(line => line + "\n")), AtomicFile.Readable);
    }
}

/// <summary>Files of a tree, and the bytes that they take of a disk.</summary>
public readonly record struct TreeSize(int Files, long Bytes)
{
    private const long Block = 4096;

    /// <summary>What a file of so many bytes takes.</summary>
    public static long Blocks(long length) => (length + Block - 1) / Block * Block;
}
