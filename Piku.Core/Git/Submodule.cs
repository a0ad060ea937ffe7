using System.Text.RegularExpressions;
using Piku.Core.Model;

namespace Piku.Core.Git;

/// <summary>What a <c>.gitmodules</c> says of one submodule (gitmodules(5)).</summary>
/// <param name="Path">Where it belongs, from the folder that the file is in.</param>
/// <param name="Address">Where it is fetched from.</param>
/// <param name="IsLeftOut">It says <c>update = none</c>: whoever wants it gets it by hand.</param>
internal sealed partial record Submodule(string Path, string Address, bool IsLeftOut)
{
    /// <summary>Where submodules are fetched from, as git names it in GIT_ALLOW_PROTOCOL (git(1)).</summary>
    public const string Protocols = "https:http:ssh:git";

    /// <summary>Reads what <c>git config -z --get-regexp</c> prints: name LF value NUL.</summary>
    public static IReadOnlyList<Submodule> Read(string listed)
    {
        var settings = listed.Split('\0', StringSplitOptions.RemoveEmptyEntries)
            .Select(entry => entry.Split('\n', 2))
            .Select(parts => (Name: parts[0], Value: parts.ElementAtOrDefault(1) ?? "", Dot: parts[0].LastIndexOf('.')))
            .Where(setting => setting.Dot > 0)
            .ToLookup(setting => setting.Name[..setting.Dot]);
        return
        [
            .. from of in settings
               let last = of.GroupBy(setting => setting.Name[(setting.Dot + 1)..]).ToDictionary(values => values.Key, values => values.Last().Value)
               where last.ContainsKey("path")
               select new Submodule(last["path"].TrimEnd('/'), last.GetValueOrDefault("url", ""), last.GetValueOrDefault("update") == "none"),
        ];
    }

    /// <summary>
    /// The submodule with an address that begins with <c>./</c> or <c>../</c> resolved against that of the repository which
    /// names it (git-submodule(1), "add"). The app's own repository has none: what is beside it is on this machine.
    /// </summary>
    /// <param name="parent">Where the repository was fetched from that names this one; null for the app's own.</param>
    public Submodule RelativeTo(string? parent)
    {
        if (parent is null || !Address.StartsWith("./", StringComparison.Ordinal) && !Address.StartsWith("../", StringComparison.Ordinal))
            return this;
        var (above, below) = (parent.TrimEnd('/'), Address);
        while (true)
        {
            if (below.StartsWith("./", StringComparison.Ordinal))
            {
                below = below[2..];
            }
            else if (below.StartsWith("../", StringComparison.Ordinal))
            {
                if (Parent().Match(above) is not { Success: true } match)
                    return this; // above the server: no address
                (above, below) = (match.Groups["rest"].Value, below[3..]);
            }
            else
            {
                return this with { Address = above + (above.EndsWith(':') ? "" : "/") + below };
            }
        }
    }

    /// <summary>
    /// Refuses what would not come from a server: files of this machine, among them other apps' repositories, which
    /// an address relative to ours would name too, and programs (<c>ext::</c>, gitremote-helpers(7)).
    /// </summary>
    /// <exception cref="UserError">piku does not fetch from there.</exception>
    public void Check()
    {
        if (!FromAServer().IsMatch(Address))
        {
            throw new UserError(
                $"the submodule '{Path}' has the address '{PushOptions.Shown(Address)}' in .gitmodules, and piku fetches submodules only from https, http, ssh and git addresses: write such a one there.");
        }
    }

    /// <summary>All but the last name of a path: of a URL's, or of <c>user@host:path</c>'s, whose colon stays.</summary>
    [GeneratedRegex(@"\A(?<rest>\w+://[^/]+(?:/[^/]+)*)/[^/]+\z|\A(?<rest>(?!\w+://)[^:/]+:(?:.*(?=/[^/]+\z))?)/?[^/]+\z")]
    private static partial Regex Parent();

    /// <summary>A URL, or <c>user@host:path</c> (git-clone(1), "Git URLs").</summary>
    [GeneratedRegex(@"\A(?:(?:https?|ssh|git)://[^-/\p{C}\s][^\p{C}\s]*|(?:\w[\w.-]*@)?\w[\w.-]*:(?!:|//)[^\p{C}]+)\z")]
    private static partial Regex FromAServer();
}
