using System.Collections.Immutable;
using Piku.Core.Model;

namespace Piku.Core.Git;

/// <summary>What a pusher asks for with <c>git push -o</c>.</summary>
/// <param name="NoDeploy">Only the refs move.</param>
/// <param name="Rebuild">All dependencies are installed anew.</param>
/// <param name="Branch">Which of the pushed branches is deployed, whatever PIKU_DEPLOY_BRANCH says; null for the usual one.</param>
public sealed record PushOptions(bool NoDeploy = false, bool Rebuild = false, string? Branch = null)
{
    private const string BranchPrefix = "branch=";

    /// <summary>
    /// Those that mean nothing here, ready to be shown: a client may send options to every server that it pushes to
    /// (git-config(1), push.pushOption).
    /// </summary>
    public ImmutableArray<string> Unknown { get; private init; } = [];

    /// <exception cref="UserError">Two contradict each other.</exception>
    public static PushOptions Parse(IEnumerable<string> options)
    {
        var wish = options.Aggregate(new PushOptions(), (wish, option) => option switch
        {
            "no-deploy" => wish with { NoDeploy = true },
            "rebuild" => wish with { Rebuild = true },
            _ when option.StartsWith(BranchPrefix, StringComparison.Ordinal) && option.Length > BranchPrefix.Length =>
                wish with { Branch = option[BranchPrefix.Length..] },
            _ => wish with { Unknown = wish.Unknown.Add(Shown(option)) },
        });
        return wish is { NoDeploy: true } and not { Rebuild: false, Branch: null }
            ? throw new UserError("the push option no-deploy contradicts rebuild and branch=NAME; give one or the other.")
            : wish;
    }

    /// <summary>Short, and without what would change the reader's terminal.</summary>
    internal static string Shown(string option) => new([.. option.Take(60).Select(c => char.IsControl(c) ? '?' : c)]);
}
