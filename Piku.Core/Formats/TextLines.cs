namespace Piku.Core.Formats;

/// <summary>The lines of a small text file, whatever editor wrote it.</summary>
internal static class TextLines
{
    /// <summary>
    /// Lines with their numbers from 1, without line ends (LF, CR LF or CR) and without the byte order mark that
    /// Windows editors leave.
    /// </summary>
    public static IEnumerable<(int Number, string Text)> Of(string text) => text
        .TrimStart('\uFEFF')
        .Replace("\r\n", "\n", StringComparison.Ordinal)
        .Replace('\r', '\n')
        .Split('\n')
        .Select((line, index) => (index + 1, line));

    /// <summary>The same, trimmed, without blank lines and comments: those whose first character is <c>#</c>.</summary>
    public static IEnumerable<(int Number, string Text)> Saying(string text) =>
        Of(text).Select(line => (line.Number, Text: line.Text.Trim())).Where(line => line.Text is not ("" or ['#', ..]));
}
