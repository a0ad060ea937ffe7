using System.Diagnostics.CodeAnalysis;
using Piku.Core.Model;

namespace Piku.Core.Git;

/// <summary>One line of what a push wants: <c>old-id SP new-id SP ref-name</c> (githooks(5), pre-receive).</summary>
public sealed record RefUpdate(string Old, string New, string Name)
{
    private const string BranchPrefix = "refs/heads/";

    /// <summary>The branch's short name; null for tags and everything else.</summary>
    public string? Branch => Name.StartsWith(BranchPrefix, StringComparison.Ordinal) ? Name[BranchPrefix.Length..] : null;

    /// <summary>The tag's whole name, <c>refs/tags/v1</c>; null for everything else.</summary>
    public string? Tag => Name.StartsWith(Tags.Prefix, StringComparison.Ordinal) ? Name : null;

    public bool IsDeletion => IsNone(New);

    /// <summary>The commit that the ref has before; null when it is to be made.</summary>
    public string? Before => IsNone(Old) ? null : Old;

    /// <summary>Reads one line; false when it is not one.</summary>
    public static bool TryParse(string line, [NotNullWhen(true)] out RefUpdate? update)
    {
        update = line.Split(' ', 3) is [var old, var @new, var name] && IsObjectId(old) && IsObjectId(@new) && name.Length > 0
            ? new(old, @new, name)
            : null;
        return update is not null;
    }

    private static bool IsNone(string id) => id.All(c => c == '0');

    /// <summary>40 hexadecimal digits (SHA-1) or 64 (SHA-256).</summary>
    public static bool IsObjectId(string text) => text.Length is 40 or 64 && text.All(char.IsAsciiHexDigitLower);
}

/// <summary>The commit to make live and the branch it is on.</summary>
public sealed record DeployTarget(string Branch, string Commit)
{
    private static readonly string[] Usual = ["main", "master"];

    /// <summary>Branches that a sentence lists.</summary>
    private const int MostNamed = 5;

    /// <summary>
    /// What a push deploys (D7): the branch pushed; of several, <c>main</c> or <c>master</c>. Tags, deletions and
    /// branches other than a pinned one deploy nothing.
    /// </summary>
    /// <param name="updates">All refs of one push.</param>
    /// <param name="pinned">The value of PIKU_DEPLOY_BRANCH, or null.</param>
    /// <returns>Null when there is nothing to deploy.</returns>
    /// <exception cref="UserError">Several branches, and none is the obvious one.</exception>
    public static DeployTarget? Choose(IEnumerable<RefUpdate> updates, string? pinned)
    {
        var branches = updates.Where(update => update is { Branch: not null, IsDeletion: false })
            .Select(update => new DeployTarget(update.Branch!, update.New)).ToList();
        if (pinned is not null)
            return branches.Find(target => target.Branch == pinned);
        if (branches.Count <= 1)
            return branches.FirstOrDefault();
        return branches.Where(target => Usual.Contains(target.Branch)).ToList() is [var only]
            ? only
            : throw new UserError(
                $"This push has several branches ({string.Join(", ", branches.Take(MostNamed).Select(target => target.Branch))}{(branches.Count > MostNamed ? ", …" : "")}) " +
                "and one app runs one of them: push one branch, or set PIKU_DEPLOY_BRANCH.");
    }
}
