using System.Collections.Immutable;
using System.Text;
using Piku.Core.Model;

namespace Piku.Core.Formats;

/// <summary>
/// ENV files: <c>NAME=value</c> a line, split at the first <c>=</c>, both trimmed; <c>export</c> before the name says
/// nothing, and a line that begins with <c>#</c> is a comment. Quotes and <c>$</c> are kept as they are:
/// <see cref="Expansion"/> comes later.
/// </summary>
public static class EnvFile
{
    /// <summary>Most bytes of <c>NAME=value</c>: Linux passes no longer string to a program (MAX_ARG_STRLEN, execve(2)).</summary>
    public const int MaxVariableBytes = (128 * 1024) - 1;

    private const string NameRule = "use letters (A-Z, a-z), digits and '_', and do not begin with a digit, because shells drop any other variable";

    /// <summary>The variables in the order of the file; a repeated one appears again.</summary>
    /// <exception cref="UserError">A line is no setting (D9). The message names file and line, and not the line, which may hold a secret.</exception>
    public static ImmutableArray<KeyValuePair<string, string>> Parse(string text, string fileName) => Parse(text, fileName, line =>
        ParseLine(line) is var setting && IsName(setting.Key) ? setting : throw new UserError($"this is not the name of a variable: {NameRule}."));

    /// <summary>
    /// The same with any text for a name: options of a uWSGI include file, and variables that were kept when piku, or
    /// upstream, still took them.
    /// </summary>
    /// <inheritdoc cref="Parse(string, string)" path="/exception"/>
    public static ImmutableArray<KeyValuePair<string, string>> ParseAnyNames(string text, string fileName) => Parse(text, fileName, ParseLine);

    /// <summary>Reads an argument of <c>config:set</c>, whose value is exactly what follows the first <c>=</c>.</summary>
    /// <exception cref="UserError">It has no name, no <c>=</c>, a name that no shell can carry, or a value that could not be kept as it is.</exception>
    public static KeyValuePair<string, string> ParseArgument(string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        if (equals < 0)
            throw new UserError($"'{Shown(text)}' is not NAME=value. A value with blanks needs quotes that arrive here, and your own shell takes one pair away: config:set APP \"'NAME=two words'\". Nothing is set.");
        var (name, value) = (text[..equals], text[(equals + 1)..]);
        if (!IsName(name))
            throw new UserError($"'{Shown(name)}' is not the name of a variable: {NameRule}. Nothing is set.");
        if (value != value.Trim())
            throw new UserError($"the value of '{name}' begins or ends with a blank or a line break, which is not kept: leave it out, or encode the value, for example as base64. Nothing is set.");
        Check(name, value);
        return new(name, value);
    }

    /// <summary>True for what every shell, and so every kind of process, can have as a variable's name (POSIX.1-2017, 8.1).</summary>
    public static bool IsName(string text) =>
        text.Length > 0 && !char.IsAsciiDigit(text[0]) && text.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');

    /// <summary>The file that <see cref="ParseAnyNames"/> reads back as exactly these variables.</summary>
    /// <exception cref="UserError">A name or value that the file cannot hold.</exception>
    public static string Write(IEnumerable<KeyValuePair<string, string>> pairs)
    {
        var text = new StringBuilder();
        foreach (var (name, value) in pairs)
        {
            Check(name, value);
            var line = $"{name}={value}";
            if (name.TrimStart()[..1] is "#" or "\uFEFF" || ParseLine(line) is var read && (read.Key != name || read.Value != value))
                throw new UserError($"The variable '{name.Trim()}' cannot be kept: a name has no '=', is no comment, and neither name nor value begins or ends with a blank.");
            text.Append(line).Append('\n');
        }
        return text.ToString();
    }

    /// <summary>Refuses what cannot be in an environment, or could not be written in one line.</summary>
    /// <exception cref="UserError">The message says what is wrong, without the value.</exception>
    public static void Check(string name, string value)
    {
        if (string.IsNullOrWhiteSpace(name))
            throw new UserError("a setting is NAME=value, and this has no name.");
        if (name.Any(char.IsControl))
            throw new UserError("the name of a setting has a control character.");
        if (value.AsSpan().ContainsAny('\n', '\r', '\0'))
            throw new UserError($"the value of '{name}' has a line break or a NUL character; write it in one line, for example as base64.");
        if (Encoding.UTF8.GetByteCount(name) + 1 + Encoding.UTF8.GetByteCount(value) > MaxVariableBytes)
            throw new UserError($"the value of '{name}' is longer than the {MaxVariableBytes} bytes that a variable can have.");
    }

    private static ImmutableArray<KeyValuePair<string, string>> Parse(string text, string fileName, Func<string, KeyValuePair<string, string>> parseLine)
    {
        var pairs = ImmutableArray.CreateBuilder<KeyValuePair<string, string>>();
        foreach (var (number, line) in TextLines.Saying(text))
        {
            try
            {
                pairs.Add(parseLine(line));
            }
            catch (UserError error)
            {
                throw new UserError($"{fileName} line {number}: {error.Message}", error);
            }
        }
        return pairs.ToImmutable();
    }

    private static KeyValuePair<string, string> ParseLine(string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        if (equals < 0)
            throw new UserError("a setting is NAME=value, and this has no '='.");
        var (name, value) = (text[..equals].Trim(), text[(equals + 1)..].Trim());
        if (name.StartsWith("export ", StringComparison.Ordinal) || name.StartsWith("export\t", StringComparison.Ordinal))
            name = name["export ".Length..].TrimStart();
        Check(name, value);
        return new(name, value);
    }

    /// <summary>What somebody typed, so that they find it again.</summary>
    private static string Shown(string text) =>
        string.Concat((text.Length > 40 ? text[..40] + "…" : text).Select(c => char.IsControl(c) ? '?' : c));
}
