using System.Text.RegularExpressions;

namespace Piku.Core.Runtimes;

/// <summary>What piku reads of pip's requirements files: which others they include, whether they name folders, or nothing at all.</summary>
public static partial class Requirements
{
    public const string File = "requirements.txt";

    /// <summary>More files than anybody has; includes that go round end here.</summary>
    private const int Most = 100;

    /// <summary>The first file and all that it includes by <c>-r</c> and <c>-c</c>, as far as their texts are known, by their path in the app.</summary>
    /// <param name="texts">Contents by path. What is included and not here is in the result, and leads no further.</param>
    public static IReadOnlyList<string> Files(IReadOnlyDictionary<string, string> texts)
    {
        List<string> files = [File];
        for (var i = 0; i < files.Count && files.Count < Most; i++)
        {
            foreach (var included in texts.TryGetValue(files[i], out var text) ? Included(files[i], text) : [])
            {
                if (!files.Contains(included))
                    files.Add(included);
            }
        }
        return files;
    }

    /// <summary>
    /// True when a line names a folder or a file beginning with a dot: <c>-e .</c>, <c>./vendor/x.whl</c>. pip looks for those
    /// from where it is run, and not from where the file is.
    /// </summary>
    public static bool NamesFolders(IReadOnlyDictionary<string, string> texts) =>
        Files(texts).Any(file => texts.TryGetValue(file, out var text) && FolderLine().IsMatch(text));

    /// <summary>True when the first file has blank lines and comments only, for which pip would do nothing. Lines end where Python's do.</summary>
    public static bool AreEmpty(IReadOnlyDictionary<string, string> texts) => texts.TryGetValue(File, out var text) && !Requirement().IsMatch(text);

    /// <summary>Relative to the file that includes them; what is an address or outside of the app is not ours to watch.</summary>
    private static IEnumerable<string> Included(string file, string text) =>
        from Match match in IncludeLine().Matches(text)
        let path = Path.GetRelativePath("/", Path.Combine("/", Path.GetDirectoryName(file) ?? "", match.Groups["path"].Value))
        where !match.Groups["path"].Value.Contains("://", StringComparison.Ordinal) && !match.Groups["path"].Value.StartsWith('/')
        select path;

    [GeneratedRegex(@"^[ \t]*(-r|-c|--requirement|--constraint)[ \t=]*(?<path>[^\s#]+)", RegexOptions.Multiline)]
    private static partial Regex IncludeLine();

    [GeneratedRegex(@"^[ \t]*((-e|--editable)[ \t=]*)?\.{1,2}(/|\[|\s|$)", RegexOptions.Multiline)]
    private static partial Regex FolderLine();

    [GeneratedRegex(@"(^|[\n-\r\x1c-\x1e\x85\u2028\u2029])\s*[^\s#]")]
    private static partial Regex Requirement();
}
