using System.Text.RegularExpressions;

namespace Piku.Server.Commands;

/// <summary>A command line as others may read it: what looks like the value of a setting is left out.</summary>
internal static partial class Redaction
{
    private const int Longest = 1000;
    private const string Hidden = "…";

    public static string Of(CommandLine line)
    {
        var text = string.Join(' ', [line.Verb, .. Words(line)]);
        return string.Concat((text.Length > Longest ? text[..Longest] + Hidden : text).Select(c => char.IsControl(c) ? '?' : c));
    }

    private static IEnumerable<string> Words(CommandLine line) => VerbTable.Find(line.Verb)?.Usage switch
    {
        _ when line.Problem is not null => [Hidden],
        { TakesCommand: true } => [.. line.Arguments.Take(1), Assignment().Replace(line.Tail, "$1$2=" + Hidden)],
        { TakesCounts: true } => line.Arguments,
        { TakesValues: true } => line.Arguments.Select((word, index) => index == 0 || word == "--" ? word : WithoutValue(word) ?? Hidden),
        { } usage => line.Arguments.Select(word => usage.HasOption(word.Split('=', 2)[0]) ? word : WithoutValue(word) ?? word),
        null => line.Arguments.Select(word => WithoutValue(word) ?? word),
    };

    /// <summary>Null for a word that is no assignment.</summary>
    private static string? WithoutValue(string word) => word.Split('=', 2) is [var name, _] ? $"{name}={Hidden}" : null;

    /// <summary>NAME=value in the words of a shell, quoted as a whole or in part.</summary>
    [GeneratedRegex("""["']([A-Za-z_-][A-Za-z0-9_-]*)=[^"']*["']?|([A-Za-z_-][A-Za-z0-9_-]*)=(?:"(?:[^"\\]|\\.)*"?|'[^']*'?|\\.|[^\s"'\\])+""", RegexOptions.Singleline | RegexOptions.NonBacktracking)]
    private static partial Regex Assignment();
}
