using System.Text;
using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Core.Git;

/// <summary>
/// The tags of an app's repository, as its working tree has them: what numbers versions, <c>git describe</c> and
/// setuptools_scm among others, looks for them there.
/// </summary>
/// <param name="repository">The bare repository.</param>
/// <param name="tree">The working tree; its <c>.git</c> is there.</param>
/// <param name="quarantine">What a push brings that the repository does not have yet.</param>
internal sealed class Tags(GitProgram git, string repository, string tree, Quarantine quarantine)
{
    public const string Prefix = "refs/tags/";

    /// <summary>Gives the tree the tags of the repository and of the push, and no others.</summary>
    /// <exception cref="UserError">git failed.</exception>
    public async Task FollowAsync(CancellationToken cancel)
    {
        var wanted = await ListAsync(repository, cancel);
        foreach (var update in quarantine.Tags)
        {
            wanted.Remove(update.Name);
            if (!update.IsDeletion)
                wanted.Add(update.Name, update.New);
        }
        var present = await ListAsync(tree, cancel);
        // Before the others: v1 must be gone where v1/final is to be.
        await UpdateAsync([.. present.Keys.Except(wanted.Keys).Select(name => $"delete {name}\n")], cancel);
        await UpdateAsync([.. wanted.Where(tag => present.GetValueOrDefault(tag.Key) != tag.Value).Select(tag => $"update {tag.Key} {tag.Value}\n")], cancel);
    }

    private async Task<Dictionary<string, string>> ListAsync(string folder, CancellationToken cancel)
    {
        var (_, output) = await git.AskAsync(folder, ["for-each-ref", "--format=%(refname) %(objectname)", Prefix], quarantine, cancel);
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ')).ToDictionary(parts => parts[0], parts => parts[1], StringComparer.Ordinal);
    }

    /// <param name="commands">Of git-update-ref(1), which does all or nothing.</param>
    private async Task UpdateAsync(string[] commands, CancellationToken cancel)
    {
        if (commands.Length == 0)
            return;
        string[] arguments = ["update-ref", "--stdin"];
        using var input = new MemoryStream(Encoding.UTF8.GetBytes(string.Concat(commands)));
        var call = git.Serve(tree, arguments, quarantine.AddTo(EnvMap.Empty)) with { Input = input };
        var run = await ChildProcess.CaptureAsync(call, cancel);
        if (!run.Status.Succeeded)
            throw GitProgram.Failed(tree, arguments, run.Status, run.Error);
    }
}
