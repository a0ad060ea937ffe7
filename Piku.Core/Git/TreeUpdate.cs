using System.Runtime.InteropServices;
using System.Text;
using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Core.Git;

/// <summary>
/// Makes a working tree what a commit says without a moment in which a file is missing or half-written: each file is
/// written beside the tree and renamed into its place, because nginx, PHP and others read the tree while it changes.
/// <c>git checkout</c> removes a file before it writes it anew. May be repeated after an interruption.
/// </summary>
/// <param name="folder">The tree; its <c>.git</c> is there.</param>
/// <param name="quarantine">Where the commit's objects are if they are not in the repository yet.</param>
internal sealed class TreeUpdate(GitProgram git, string folder, Quarantine quarantine)
{
    /// <summary>The mode of a submodule in git's lists (gitformat-index(5)).</summary>
    private const string Submodule = "160000";

    /// <summary>Of the names of all files: half a million of them.</summary>
    internal const int MostBytes = 32 << 20;

    private const int LongestName = 255, LongestPath = 4094;

    /// <summary>What a name that is not UTF-8 is read with. .NET cannot name such a file; git can.</summary>
    private const char Unreadable = '\uFFFD';

    private string GitFolder => Path.Combine(folder, ".git");

    private string Index => Path.Combine(GitFolder, "index");

    /// <summary>Of the tree with the files of submodules, where there are some; <see cref="Index"/> is as git expects it.</summary>
    private string WholeIndex => Path.Combine(GitFolder, "submodules.index");

    private string Present => File.Exists(WholeIndex) ? WholeIndex : Index;

    /// <summary>Of the tree that is being made. It is there from before the first file changes until the last has.</summary>
    private string NextIndex => Path.Combine(GitFolder, "piku-index");

    private string Making => NextIndex + ".new";

    private string Staging => Path.Combine(GitFolder, "piku-staging");

    /// <param name="commit">What is to be checked out.</param>
    /// <param name="whole">The tree of the commit and its submodules; the commit itself when it has none.</param>
    /// <param name="cancel">Stops between two files.</param>
    /// <exception cref="UserError">git failed, or something that git does not track is where a file belongs.</exception>
    public async Task RunAsync(string commit, string whole, CancellationToken cancel)
    {
        RemoveLeftovers();
        var before = await TrackedAsync(Present, cancel);
        before.UnionWith(await PlacedAsync(cancel));
        await MakeIndexAsync(whole, cancel);
        var after = await TrackedAsync(Making, cancel);
        if (after.FirstOrDefault(IsTooLong) is { } name)
            throw new UserError($"the name of a file in the commit is too long for the server's disk: {name[..40]}…");
        Move(Making, NextIndex);
        if (before.Concat(after).Any(path => path.Contains(Unreadable, StringComparison.Ordinal)))
        {
            Seed();
            await GitAsync(Making, ["read-tree", "--reset", "-u", whole], "", cancel);
            Move(Making, NextIndex);
        }
        else
        {
            await ReplaceAsync(before, after, cancel);
        }
        await KeepIndexAsync(commit, whole, cancel);
    }

    private async Task ReplaceAsync(HashSet<string> before, HashSet<string> after, CancellationToken cancel)
    {
        var changed = await ChangedAsync(cancel);
        await StageAsync([.. changed.Where(entry => entry.Mode != Submodule).Select(entry => entry.Path)], cancel);
        git.User.Do(() =>
        {
            foreach (var gone in before.Except(after))
                Remove(gone, after);
            foreach (var (path, mode) in changed)
                Place(path, mode);
            WholeFolder.Remove(Staging);
        });
    }

    /// <summary>So that git need not read files again to see that they are as they should be.</summary>
    private async Task KeepIndexAsync(string commit, string whole, CancellationToken cancel)
    {
        await GitAsync(NextIndex, ["update-index", "-q", "--refresh"], "", cancel);
        if (whole == commit)
        {
            Move(NextIndex, Index);
            git.User.Do(() => File.Delete(WholeIndex));
            return;
        }
        Move(NextIndex, WholeIndex);
        await MakeIndexAsync(commit, cancel);
        Move(Making, Index);
    }

    /// <summary>Removes what an update that was interrupted has left, except what tells the next one how far it came.</summary>
    public void RemoveLeftovers() => git.User.Do(() =>
    {
        File.Delete(Making);
        WholeFolder.Remove(Staging);
    });

    private void Move(string from, string to) => git.User.Do(() => File.Move(from, to, overwrite: true));

    /// <summary>The index of the tree; what is as it was keeps what git knows of the file (git-read-tree(1), "Single Tree Merge").</summary>
    private async Task MakeIndexAsync(string tree, CancellationToken cancel)
    {
        Seed();
        await GitAsync(Making, ["read-tree", "--reset", tree], "", cancel);
    }

    /// <summary>Begins an index with what is known of the files that are there.</summary>
    private void Seed() => git.User.Do(() =>
    {
        File.Delete(Making + ".lock");
        File.Delete(NextIndex + ".lock");
        if (!AtomicFile.Copy(Present, Making, AtomicFile.Secret))
            File.Delete(Making);
    });

    /// <summary>
    /// git passes over such a file without a word. A name may have 255 bytes, a path 4096 with its NUL (limits.h(0p)), of
    /// which the folder where files are staged takes some.
    /// </summary>
    private bool IsTooLong(string path) => path.Length > LongestName / 3 && (Encoding.UTF8.GetByteCount(path) > LongestPath - Staging.Length
        || path.Split('/').Any(name => Encoding.UTF8.GetByteCount(name) > LongestName));

    /// <summary>
    /// What an update that was interrupted has put into the tree. A file of the same name with anything else in it is
    /// the app's own.
    /// </summary>
    private async Task<IEnumerable<string>> PlacedAsync(CancellationToken cancel)
    {
        if (!File.Exists(NextIndex))
            return [];
        git.User.Do(() => File.Delete(NextIndex + ".lock"));
        var others = (await ChangedAsync(cancel)).Select(entry => entry.Path);
        return (await TrackedAsync(NextIndex, cancel)).Except(others);
    }

    private async Task<HashSet<string>> TrackedAsync(string index, CancellationToken cancel) =>
        File.Exists(index) ? [.. Names(await GitAsync(index, ["ls-files", "-z"], "", cancel))] : [];

    /// <summary>Whatever in the tree is not what the next index says, also where somebody has changed or removed it.</summary>
    private async Task<List<(string Path, string Mode)>> ChangedAsync(CancellationToken cancel)
    {
        await GitAsync(NextIndex, ["update-index", "-q", "--refresh"], "", cancel);
        // :100644 100644 1234567 0000000 M NUL path NUL
        var fields = Names(await GitAsync(NextIndex, ["diff-files", "-z", "--raw", "--ignore-submodules=dirty"], "", cancel));
        return [.. fields.Chunk(2).Select(pair => (pair[1], pair[0][1..].Split(' ')[0]))];
    }

    private async Task StageAsync(string[] paths, CancellationToken cancel)
    {
        git.User.Do(() =>
        {
            WholeFolder.Remove(Staging);
            Directory.CreateDirectory(Staging);
        });
        if (paths.Length > 0)
            await GitAsync(NextIndex, ["checkout-index", "-z", "--stdin", $"--prefix={Staging}/"], string.Concat(paths.Select(path => path + "\0")), cancel);
    }

    private void Place(string path, string mode)
    {
        var target = Path.Combine(folder, path);
        MakeFolder(Path.GetDirectoryName(path)!);
        if (mode == Submodule)
        {
            Directory.CreateDirectory(target);
            return;
        }
        var staged = new FileInfo(Path.Combine(Staging, path));
        if (IsFolder(target))
            RemoveEmpty(target);
        if (staged.LinkTarget is null && File.Exists(target))
            BeYounger(staged, than: File.GetLastWriteTimeUtc(target));
        // Not File.Move, which looks where a link leads, and moves none that leads to a folder.
        if (Libc.Rename(staged.FullName, target) != 0)
            throw new IOException($"{target}: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    /// <summary>
    /// A file that follows another within a second, and is as long, would be taken for it: Python compares size and
    /// whole seconds before it uses what it has compiled (PEP 3147).
    /// </summary>
    private static void BeYounger(FileInfo file, DateTime than)
    {
        var earliest = than.AddTicks(-(than.Ticks % TimeSpan.TicksPerSecond)).AddSeconds(1);
        if (file.LastWriteTimeUtc < earliest)
            file.LastWriteTimeUtc = earliest;
    }

    /// <summary>Also where a file, or a link to somewhere else, has been instead of the folder.</summary>
    private void MakeFolder(string path)
    {
        var made = folder;
        foreach (var part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            made = Path.Combine(made, part);
            if (!IsFolder(made))
                File.Delete(made);
            Directory.CreateDirectory(made);
        }
    }

    /// <summary>A folder that is empty without the file goes too, unless it is where a submodule belongs.</summary>
    private void Remove(string path, HashSet<string> kept)
    {
        var file = Path.Combine(folder, path);
        if (HasLinkAbove(path))
            return;
        if (!IsFolder(file))
            File.Delete(file);
        else if (!Directory.EnumerateFileSystemEntries(file).Any())
            Directory.Delete(file);
        for (var above = Path.GetDirectoryName(path)!; above.Length > 0 && !kept.Contains(above); above = Path.GetDirectoryName(above)!)
        {
            var emptied = new DirectoryInfo(Path.Combine(folder, above));
            if (emptied.Exists && emptied.EnumerateFileSystemInfos().Any())
                return;
            if (emptied.Exists)
                emptied.Delete();
        }
    }

    private static void RemoveEmpty(string target)
    {
        if (Directory.EnumerateFileSystemEntries(target).Any())
            throw new UserError($"the commit has a file where the app has put a folder, {target}: move the folder away, or rename the file.");
        Directory.Delete(target);
    }

    /// <summary>What is behind a link is not the tree's.</summary>
    private bool HasLinkAbove(string path)
    {
        for (var above = Path.GetDirectoryName(path); above is { Length: > 0 }; above = Path.GetDirectoryName(above))
        {
            if (new FileInfo(Path.Combine(folder, above)).LinkTarget is not null)
                return true;
        }
        return false;
    }

    private static bool IsFolder(string path) => Directory.Exists(path) && new DirectoryInfo(path).LinkTarget is null;

    /// <summary>What git says; with git-update-index(1), status 1 is no failure.</summary>
    private async Task<string> GitAsync(string index, string[] arguments, string input, CancellationToken cancel)
    {
        var call = git.Serve(folder, arguments, quarantine.AddTo(EnvMap.Empty.With("GIT_INDEX_FILE", index)));
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(input));
        var run = await ChildProcess.CaptureAsync(call with { Input = stream }, cancel, MostBytes);
        if (!run.Status.Succeeded && arguments[0] != "update-index")
            throw GitProgram.Failed(folder, arguments, run.Status, run.Error);
        return run.Output.Length < MostBytes ? run.Output : throw new UserError("the app has too many files.");
    }

    private static string[] Names(string list) => list.Split('\0', StringSplitOptions.RemoveEmptyEntries);
}
