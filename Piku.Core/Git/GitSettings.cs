using System.Text.RegularExpressions;
using Piku.Core.Machine;

namespace Piku.Core.Git;

/// <summary>
/// What piku says to git with <c>-c</c>, which wins over every file: a build step may set what it likes in its folder, and
/// the next push is checked out as the one before.
/// </summary>
internal static partial class GitSettings
{
    /// <summary>Options that stand before git's command. A hook of ours comes after them, and so counts.</summary>
    public static readonly string[] Ours =
    [
        .. Options(
            "core.hooksPath=/dev/null", "core.fsmonitor=false",
            // Files are what was committed, byte for byte, unless the repository's own .gitattributes say otherwise.
            "core.autocrlf=false", "core.eol=native", "core.safecrlf=false", "core.attributesFile=/dev/null", "core.excludesFile=/dev/null",
            "core.fileMode=true", "core.symlinks=true", "core.ignoreCase=false",
            // All files, and an index that is one whole file.
            "core.sparseCheckout=false", "index.sparse=false", "core.splitIndex=false", "core.untrackedCache=false", "submodule.recurse=false",
            // Whether refs may move is decided before the new version runs, and never after.
            "receive.denyCurrentBranch=ignore", "receive.denyNonFastForwards=false", "receive.denyDeletes=false",
            "receive.fsckObjects=false", "transfer.fsckObjects=false", "receive.maxInputSize=0"),
    ];

    /// <summary>The <c>.git</c> of a folder that is a working tree; null for a bare repository.</summary>
    public static string? FolderOfTree(string folder) =>
        Path.Combine(folder, ".git") is var git && Directory.Exists(git) ? git : null;

    /// <summary>
    /// Options that end the filters which somebody has configured in this tree, such as git-lfs by <c>git lfs install
    /// --local</c> (gitattributes(5), "filter"): a program that is not there any more would fail every checkout.
    /// </summary>
    public static string[] FiltersIn(string git) => Options(
        [.. FilterNames(AtomicFile.ReadIfExists(Path.Combine(git, "config")) ?? "").SelectMany(name =>
            new[] { $"filter.{name}.clean=", $"filter.{name}.smudge=", $"filter.{name}.process=", $"filter.{name}.required=false" })]);

    /// <summary>The filters that a configuration file names.</summary>
    public static IEnumerable<string> FilterNames(string text) =>
        FilterSection().Matches(text).Select(match => match.Groups["name"].Value).Distinct();

    private static string[] Options(params string[] settings) => [.. settings.SelectMany(setting => new[] { "-c", setting })];

    /// <summary><c>[filter "lfs"]</c></summary>
    [GeneratedRegex("""^\s*\[filter\s+"(?<name>[A-Za-z0-9._-]+)"\]""", RegexOptions.Multiline | RegexOptions.IgnoreCase)]
    private static partial Regex FilterSection();
}
