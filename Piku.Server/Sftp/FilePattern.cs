using System.Text;
using System.Text.RegularExpressions;

namespace Piku.Server.Sftp;

/// <summary>
/// Names of files with wildcards, as a shell expands them (glob(7)): <c>*</c>, <c>?</c> and <c>[a-z]</c> in each part of a
/// path; a name that begins with a dot is meant only by a pattern that does too.
/// </summary>
internal static class FilePattern
{
    /// <summary>Paths that one pattern may stand for.</summary>
    private const int Most = 10_000;

    /// <summary>The paths that a pattern stands for, sorted; the pattern itself where something has that very name, or nothing fits.</summary>
    public static IReadOnlyList<string> Expand(FileTree tree, string pattern)
    {
        var path = FileTree.Normalize(pattern);
        if (path.AsSpan().IndexOfAny("*?[") < 0 || Exists(tree, path))
            return [path];
        List<string> found = [""];
        foreach (var part in path[1..].Split('/'))
            found = [.. found.SelectMany(folder => Children(tree, folder, part)).Take(Most)];
        return found.Count > 0 ? found : [path];
    }

    private static IEnumerable<string> Children(FileTree tree, string folder, string part)
    {
        if (part.AsSpan().IndexOfAny("*?[") < 0)
            return Exists(tree, $"{folder}/{part}") ? [$"{folder}/{part}"] : [];
        if (Read(part) is not { } pattern)
            return [];
        try
        {
            using var entries = tree.OpenFolder(folder);
            var names = new List<string>();
            while (entries.Next() is { } entry)
                names.Add(entry.Name);
            return [.. names.Where(name => Fits(name, part, pattern)).Order(StringComparer.Ordinal).Select(name => $"{folder}/{name}")];
        }
        catch (Exception none) when (none is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>Whether a name is one of those that a pattern stands for.</summary>
    public static bool Fits(string name, string pattern) => Read(pattern) is { } expression && Fits(name, pattern, expression);

    private static bool Fits(string name, string pattern, Regex expression) => name.StartsWith('.') == pattern.StartsWith('.') && expression.IsMatch(name);

    /// <summary>
    /// Null for a set that is none, such as <c>[z-a]</c>, which nothing fits. A name is read once, whatever the pattern is: it is
    /// a client's.
    /// </summary>
    private static Regex? Read(string pattern)
    {
        try
        {
            return new(Expression(pattern), RegexOptions.CultureInvariant | RegexOptions.Singleline | RegexOptions.NonBacktracking);
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    private static string Expression(string pattern)
    {
        var text = new StringBuilder(@"\A");
        for (var i = 0; i < pattern.Length; i++)
        {
            // The first ] of a set is one of its letters.
            var end = pattern[i] == '[' && i + 2 < pattern.Length ? pattern.IndexOf(']', i + (pattern[i + 1] is '!' or '^' ? 3 : 2)) : -1;
            if (end > 0)
            {
                var set = pattern[(i + 1)..end];
                var isNegated = set[0] is '!' or '^';
                text.Append(isNegated ? "[^" : "[").Append(set[(isNegated ? 1 : 0)..].Replace(@"\", @"\\", StringComparison.Ordinal).Replace("[", @"\[", StringComparison.Ordinal).Replace("^", @"\^", StringComparison.Ordinal)).Append(']');
                i = end;
                continue;
            }
            text.Append(pattern[i] switch
            {
                '*' => ".*",
                '?' => ".",
                var letter => Regex.Escape(letter.ToString()),
            });
        }
        return text.Append(@"\z").ToString();
    }

    private static bool Exists(FileTree tree, string path)
    {
        try
        {
            _ = tree.Status(path, follow: false);
            return true;
        }
        catch (Exception none) when (none is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
