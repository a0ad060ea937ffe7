using System.Text;
using Piku.Core.Model;

namespace Piku.Core.Formats;

/// <summary>
/// One argument of an nginx directive, without its quotes. Quotes only join: whether <c>$</c> begins a variable is
/// decided later and by the directive, and nothing escapes it. So an argument is either text, which has no
/// <c>$</c>, or an expression, which may name variables.
/// </summary>
public sealed record NginxArgument
{
    /// <summary>Longest argument in bytes of UTF-8: what nginx reads at once (ngx_conf_file.c, NGX_CONF_BUFFER), less some for escapes.</summary>
    private const int MaxBytes = 4000;

    private NginxArgument(string value) => Value = Encoding.UTF8.GetByteCount(value) <= MaxBytes ? value
        : throw new UserError($"nginx cannot use '{Printable(value[..40])}…': it is longer than {MaxBytes} bytes.");

    public string Value { get; }

    /// <summary>Exactly this text, wherever it came from.</summary>
    /// <exception cref="UserError">It has a <c>$</c> or a control character, which nginx cannot be given as text.</exception>
    public static NginxArgument Text(string value) =>
        value.Any(c => c == '$' || char.IsControl(c))
            ? throw new UserError($"nginx cannot use '{Printable(value)}': leave out '$' and control characters.")
            : new NginxArgument(value);

    /// <summary>May name variables (<c>$host</c>). For what the product or an app's own include file says, never for other input.</summary>
    public static NginxArgument Expression(string value) => new(value);

    /// <summary>As it stands in a configuration file: bare if that is plain, else quoted (ngx_conf_file.c, ngx_conf_read_token).</summary>
    public override string ToString() =>
        Value.Length > 0 && Value.All(IsPlain)
            ? Value
            : $"\"{Value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    private static bool IsPlain(char c) => char.IsAsciiLetterOrDigit(c) || "$_./:@=,+-*~^?|()[]!<>&".Contains(c, StringComparison.Ordinal);

    private static string Printable(string text) => string.Concat(text.Select(c => char.IsControl(c) ? '?' : c));
}
