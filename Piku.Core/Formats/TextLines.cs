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
}
