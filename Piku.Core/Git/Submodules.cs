using System.Security.Cryptography;
using System.Text;
using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Core.Git;

/// <summary>
/// The submodules of a commit, as folders of one tree: what is fetched of them is read into the commit's own tree, so
/// that one <see cref="TreeUpdate"/> writes, renames and removes their files as it does all others. Everything is
/// fetched before the first file changes. See docs/decisions/0043-submodules.md.
/// </summary>
/// <param name="folder">The working tree; its <c>.git</c> is there.</param>
/// <param name="quarantine">Where the commit's objects are if they are not in the repository yet.</param>
/// <param name="output">What is said meanwhile.</param>
internal sealed class Submodules(GitProgram git, string folder, Quarantine quarantine, OutputSink output)
{
    /// <summary>Of one commit, those within others included.</summary>
    private const int Most = 200;

    /// <summary>Nobody is there to be asked, and a silent server is one that is gone (ssh_config(5), git-config(1)).</summary>
    private const string AskingNobody = " -o BatchMode=yes -o ConnectTimeout=30 -o ServerAliveInterval=15";

    private static readonly string[] Patience = ["-c", "http.lowSpeedLimit=1", "-c", "http.lowSpeedTime=60", "-c", "gc.auto=0", "-c", "maintenance.auto=false"];

    /// <summary>A repository of its own, so that builds find that of the app as it was pushed.</summary>
    private string Store => Path.Combine(folder, ".git", "submodules.git");

    private string Index => Path.Combine(folder, ".git", "piku-submodules-index");

    /// <summary>Where all objects of the whole tree are.</summary>
    public Quarantine Objects => Lenders().Aggregate(quarantine, (all, lender) => all.And(lender));

    /// <summary>The commit with the files of its submodules.</summary>
    /// <param name="limit">How long it may take to fetch those that are not here.</param>
    /// <returns>The commit itself when it has none; else a tree.</returns>
    /// <exception cref="UserError">A submodule is not to be had.</exception>
    public async Task<string> WholeTreeOfAsync(string commit, TimeSpan limit, CancellationToken cancel)
    {
        RemoveLeftovers();
        await GitAsync(["read-tree", commit], "", cancel);
        using var within = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        within.CancelAfter(limit);
        try
        {
            var count = await ExpandAsync("", commit, null, within.Token);
            return count == 0 ? commit : (await GitAsync(["write-tree"], "", cancel)).Trim();
        }
        catch (OperationCanceledException late) when (!cancel.IsCancellationRequested)
        {
            throw new UserError($"the submodules could not be fetched within {limit.TotalSeconds:0} s; set PIKU_BUILD_TIMEOUT to allow more.", late);
        }
        finally
        {
            RemoveIndex();
        }
    }

    /// <summary>Removes what was left when somebody was killed.</summary>
    public void RemoveLeftovers()
    {
        git.User.Do(() => GitRepository.RemoveLeftovers(Store));
        RemoveIndex();
    }

    private void RemoveIndex() => git.User.Do(() =>
    {
        File.Delete(Index);
        File.Delete(Index + ".lock");
    });

    /// <summary>Reads the submodules of a commit, which stands at a prefix, and theirs into the index.</summary>
    /// <param name="parent">The address that the commit was fetched from; null for the app's own.</param>
    /// <returns>How many they are.</returns>
    private async Task<int> ExpandAsync(string prefix, string commit, string? parent, CancellationToken cancel)
    {
        var links = await LinksAsync(prefix, cancel);
        if (links.Count == 0)
            return 0;
        var known = (await ListAsync(prefix, commit, cancel)).ToLookup(submodule => prefix + submodule.Path);
        var count = 0;
        foreach (var (path, wanted) in links)
        {
            if (known[path].LastOrDefault()?.RelativeTo(parent) is not { } submodule)
                await SayAsync($"Warning: '{path}' is a repository of its own that no .gitmodules names: its folder stays empty.", cancel);
            else if (!submodule.IsLeftOut)
                count += await PutAsync(submodule, path, wanted, cancel);
            if (count > Most)
                throw new UserError($"the commit has more than {Most} submodules, those within others included: commit the files themselves.");
        }
        return count;
    }

    private async Task<int> PutAsync(Submodule submodule, string path, string wanted, CancellationToken cancel)
    {
        if (!await HasAsync(wanted, cancel))
            await FetchAsync(submodule, path, wanted, cancel);
        // Of upstream's: a folder of the tree is no repository of its own.
        git.User.Do(() =>
        {
            if (File.Exists(Path.Combine(folder, path, ".git")))
                File.Delete(Path.Combine(folder, path, ".git"));
        });
        await GitAsync(["update-index", "--force-remove", "-z", "--stdin"], path + "\0", cancel);
        await GitAsync(["read-tree", $"--prefix={path}/", wanted], "", cancel);
        return 1 + await ExpandAsync(path + "/", wanted, submodule.Address, cancel);
    }

    /// <summary>
    /// Fetches one commit, as it is without its history; from a server that does not give single commits, all branches
    /// and tags. A ref keeps it, for a rollback may want it when its server does not have it any more.
    /// </summary>
    private async Task FetchAsync(Submodule submodule, string path, string wanted, CancellationToken cancel)
    {
        submodule.Check();
        await SayAsync($"-----> Fetching submodule '{path}'", cancel);
        await git.RunAsync(folder, ["init", "--quiet", "--bare", Store], cancel);
        var (fetched, _) = await FetchAsync("--depth=1", [submodule.Address, $"+{wanted}:refs/commits/{wanted}"], cancel);
        if (fetched)
            return;
        var name = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(submodule.Address)))[..16];
        var (reached, error) = await FetchAsync("--tags", [submodule.Address, $"+refs/heads/*:refs/heads/{name}/*", $"+refs/tags/*:refs/tags/{name}/*"], cancel);
        if (!reached)
            throw new UserError($"the submodule '{path}' could not be fetched: {error.Trim()}");
        if (!await HasAsync(wanted, cancel))
            throw new UserError($"the submodule '{path}' is to be at commit {wanted}, which its repository does not have: push that commit there.");
        await git.RunAsync(Store, ["update-ref", $"refs/commits/{wanted}", wanted], cancel);
    }

    private async Task<(bool Succeeded, string Error)> FetchAsync(string how, string[] what, CancellationToken cancel)
    {
        var person = git.WithUsersSettings();
        var (_, ssh) = await person.AskAsync(Store, ["config", "--get", "core.sshCommand"], Quarantine.None, cancel);
        var variables = EnvMap.Empty.With("GIT_ALLOW_PROTOCOL", Submodule.Protocols)
            .With("GIT_SSH_COMMAND", (ssh.Trim() is { Length: > 0 } configured ? configured : "ssh") + AskingNobody);
        var call = person.Serve(Store, [.. Patience, "fetch", "--quiet", how, "--no-write-fetch-head", "--no-recurse-submodules", .. what], variables);
        var run = await ChildProcess.CaptureAsync(call, cancel);
        return (run.Status.Succeeded, run.Error);
    }

    /// <summary>The folders below a prefix where another repository's commit belongs, and which (gitformat-index(5)).</summary>
    private async Task<List<(string Path, string Commit)>> LinksAsync(string prefix, CancellationToken cancel)
    {
        // 160000 1234567… 0 TAB path NUL
        var listed = await GitAsync(["ls-files", "-z", "--stage"], "", cancel);
        return
        [
            .. listed.Split('\0').Where(entry => entry.StartsWith("160000 ", StringComparison.Ordinal)).Select(entry => entry.Split('\t', 2))
                .Select(parts => (parts[1], parts[0].Split(' ')[1])).Where(link => link.Item1.StartsWith(prefix, StringComparison.Ordinal)),
        ];
    }

    private async Task<IReadOnlyList<Submodule>> ListAsync(string prefix, string commit, CancellationToken cancel)
    {
        if ((await GitAsync(["ls-files", "-z", "--", $":(literal){prefix}.gitmodules"], "", cancel)).Length == 0)
            return [];
        var call = git.Serve(
            folder, ["config", "-z", $"--blob={commit}:.gitmodules", "--get-regexp", @"^submodule\..*\.(path|url|update)$"], Objects.AddTo(EnvMap.Empty));
        var run = await ChildProcess.CaptureAsync(call, cancel);
        return run.Error.Length == 0 ? Submodule.Read(run.Output) : throw new UserError($"{prefix}.gitmodules cannot be read: {run.Error.Trim()}");
    }

    private async Task<bool> HasAsync(string commit, CancellationToken cancel) =>
        (await git.AskAsync(folder, ["cat-file", "-e", $"{commit}^{{commit}}"], Objects, cancel)).Status == 0;

    /// <summary>Also what upstream, which runs <c>git submodule update</c>, has fetched.</summary>
    private List<string> Lenders() => git.User.Do(() =>
    {
        var modules = Path.Combine(folder, ".git", "modules");
        var theirs = Directory.Exists(modules) ? Directory.EnumerateDirectories(modules, "objects", WholeFolder.Below) : [];
        return theirs.Prepend(Path.Combine(Store, "objects")).Where(Directory.Exists).ToList();
    });

    private async Task<string> GitAsync(string[] arguments, string input, CancellationToken cancel)
    {
        var call = git.Serve(folder, arguments, Objects.AddTo(EnvMap.Empty.With("GIT_INDEX_FILE", Index)));
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(input));
        var run = await ChildProcess.CaptureAsync(call with { Input = stream }, cancel, TreeUpdate.MostBytes);
        return run.Status.Succeeded ? run.Output : throw GitProgram.Failed(folder, arguments, run.Status, run.Error);
    }

    private ValueTask SayAsync(string text, CancellationToken cancel) => output(Encoding.UTF8.GetBytes(text + "\n"), cancel);
}
