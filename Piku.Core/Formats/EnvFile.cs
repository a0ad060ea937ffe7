using System.Collections.Immutable;
using System.Text;
using Piku.Core.Model;

namespace Piku.Core.Formats;

/// <summary>
/// ENV files: <c>NAME=value</c> a line, split at the first <c>=</c>, both trimmed; <c>#</c> in the first column
/// comments. Quotes and <c>$</c> are kept as they are: <see cref="Expansion"/> comes later. As upstream has it, a name
/// is any text without <c>=</c> and control characters.
/// </summary>
public static class EnvFile
{
    /// <summary>Most bytes of <c>NAME=value</c>: Linux passes no longer string to a program (MAX_ARG_STRLEN, execve(2)).</summary>
    public const int MaxVariableBytes = (128 * 1024) - 1;

    /// <summary>The variables in the order of the file; a repeated one appears again.</summary>
    /// <exception cref="UserError">A line is no setting (D9). The message names file and line, and not the line, which may hold a secret.</exception>
    public static ImmutableArray<KeyValuePair<string, string>> Parse(string text, string fileName)
    {
        var pairs = ImmutableArray.CreateBuilder<KeyValuePair<string, string>>();
        foreach (var (number, line) in TextLines.Of(text))
        {
            if (line.StartsWith('#') || string.IsNullOrWhiteSpace(line))
                continue;
            try
            {
                pairs.Add(ParseSetting(line));
            }
            catch (UserError error)
            {
                throw new UserError($"{fileName} line {number}: {error.Message}", error);
            }
        }
        return pairs.ToImmutable();
    }

    /// <summary>Reads one <c>NAME=value</c>, from a file or an argument of <c>config:set</c>.</summary>
    /// <exception cref="UserError">It has no name, no <c>=</c>, or characters that no environment can hold.</exception>
    public static KeyValuePair<string, string> ParseSetting(string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        if (equals < 0)
            throw new UserError("a setting is NAME=value, and this has no '='.");
        var (name, value) = (text[..equals].Trim(), text[(equals + 1)..].Trim());
        Check(name, value);
        return new(name, value);
    }

    /// <summary>The file that <see cref="Parse"/> reads back as exactly these variables.</summary>
    /// <exception cref="UserError">A name or value that the file cannot hold.</exception>
    public static string Write(IEnumerable<KeyValuePair<string, string>> pairs)
    {
        var text = new StringBuilder();
        foreach (var (name, value) in pairs)
        {
            Check(name, value);
            if (name.Contains('=', StringComparison.Ordinal) || name != name.Trim() || value != value.Trim())
                throw new UserError($"The variable '{name.Trim()}' cannot be kept: a name has no '=', and neither name nor value begins or ends with a blank.");
            // An indented # is a name like any other.
            text.Append(name[0] is '#' or '\uFEFF' ? " " : "").Append(name).Append('=').Append(value).Append('\n');
        }
        return text.ToString();
    }

    /// <summary>Refuses what cannot be in an environment, or could not be written in one line.</summary>
    /// <exception cref="UserError">The message says what is wrong, without the value.</exception>
    public static void Check(string name, string value)
    {
        if (name.Length == 0)
            throw new UserError("a setting is NAME=value, and this has no name.");
        if (name.Any(char.IsControl))
            throw new UserError("the name of a setting has a control character.");
        if (value.AsSpan().ContainsAny('\n', '\r', '\0'))
            throw new UserError($"the value of '{name}' has a line break or a NUL character; write it in one line, for example as base64.");
        if (Encoding.UTF8.GetByteCount(name) + 1 + Encoding.UTF8.GetByteCount(value) > MaxVariableBytes)
            throw new UserError($"the value of '{name}' is longer than the {MaxVariableBytes} bytes that a variable can have.");
    }
}
