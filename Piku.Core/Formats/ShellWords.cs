using System.Collections.Immutable;
using System.Text;
using Piku.Core.Model;

namespace Piku.Core.Formats;

/// <summary>
/// Words as a POSIX shell splits and joins them (POSIX.1-2017, Shell Command Language, 2.2 Quoting), without
/// expansions, operators and comments: what Python's <c>shlex.split</c> does, and with it upstream.
/// </summary>
public static class ShellWords
{
    /// <exception cref="UserError">A quote is not closed, or nothing follows a backslash.</exception>
    public static ImmutableArray<string> Split(string text)
    {
        var words = ImmutableArray.CreateBuilder<string>();
        StringBuilder? word = null;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] is ' ' or '\t' or '\r' or '\n')
            {
                Finish();
                continue;
            }
            word ??= new StringBuilder();
            switch (text[i])
            {
                case '\'':
                    var close = text.IndexOf('\'', i + 1);
                    if (close < 0)
                        throw new UserError("A single quote (') is not closed.");
                    word.Append(text, i + 1, close - i - 1);
                    i = close;
                    break;
                case '"':
                    i = AppendDoubleQuoted(text, i + 1, word);
                    break;
                case '\\':
                    word.Append(++i < text.Length ? text[i] : throw new UserError("Nothing follows the backslash at the end."));
                    break;
                default:
                    word.Append(text[i]);
                    break;
            }
        }
        Finish();
        return words.ToImmutable();

        void Finish()
        {
            if (word is not null)
                words.Add(word.ToString());
            word = null;
        }
    }

    /// <summary>One word that a shell reads back as exactly this text.</summary>
    public static string Quote(string word) =>
        word.Length > 0 && word.All(IsPlain) ? word : $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    /// <summary>A line that a shell reads back as exactly these words.</summary>
    public static string Join(IEnumerable<string> words) => string.Join(' ', words.Select(Quote));

    /// <summary>Appends up to the closing quote and returns its place. Inside, a backslash escapes only itself and the quote.</summary>
    private static int AppendDoubleQuoted(string text, int start, StringBuilder word)
    {
        for (var i = start; i < text.Length; i++)
        {
            if (text[i] == '"')
                return i;
            if (text[i] == '\\' && i + 1 < text.Length && text[i + 1] is '"' or '\\')
                i++;
            word.Append(text[i]);
        }
        throw new UserError("A double quote (\") is not closed.");
    }

    private static bool IsPlain(char c) => char.IsAsciiLetterOrDigit(c) || "@%+=:,./_-".Contains(c, StringComparison.Ordinal);
}
