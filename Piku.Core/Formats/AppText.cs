using System.Text;
using Piku.Core.Model;

namespace Piku.Core.Formats;

/// <summary>
/// The one way in which text files of an app are read, whichever they are: UTF-8, or UTF-16 with the byte order mark that
/// Windows programs write; the mark itself is none of the text. What is neither is refused, and never replaced.
/// </summary>
public static class AppText
{
    /// <summary>The text of a whole file.</summary>
    /// <param name="fileName">As its author knows it, for the message.</param>
    /// <exception cref="UserError">A byte is none of a text; the message names file and line.</exception>
    public static string Read(ReadOnlySpan<byte> bytes, string fileName)
    {
        var (encoding, name) = EncodingOf(bytes);
        var content = bytes.StartsWith(encoding.Preamble) ? bytes[encoding.Preamble.Length..] : bytes;
        try
        {
            var text = Strict(encoding).GetString(content);
            return text.IndexOf('\0', StringComparison.Ordinal) is var nul and >= 0
                ? throw new UserError($"{fileName} line {LineAt(text[..nul])} has a NUL byte, which no text has: save the file as UTF-8.")
                : text;
        }
        catch (DecoderFallbackException wrong)
        {
            var before = encoding.GetString(content[..Math.Clamp(wrong.Index, 0, content.Length)]);
            throw new UserError($"{fileName} line {LineAt(before)} has a byte that is not {name}: save the file as UTF-8.", wrong);
        }
    }

    /// <summary>The same; an absent file (null) is empty.</summary>
    /// <inheritdoc cref="Read(ReadOnlySpan{byte}, string)"/>
    public static string Read(byte[]? bytes, string fileName) => Read(bytes.AsSpan(), fileName);

    private static (Encoding Encoding, string Name) EncodingOf(ReadOnlySpan<byte> bytes) => bytes switch
    {
        [0xFF, 0xFE, ..] => (Encoding.Unicode, "UTF-16"),
        [0xFE, 0xFF, ..] => (Encoding.BigEndianUnicode, "UTF-16"),
        _ => (Encoding.UTF8, "UTF-8"),
    };

    private static Encoding Strict(Encoding encoding) =>
        Encoding.GetEncoding(encoding.CodePage, EncoderFallback.ExceptionFallback, DecoderFallback.ExceptionFallback);

    private static int LineAt(string before) => TextLines.Of(before).Last().Number;
}
