using System.Collections.Immutable;
using System.Text;

namespace Piku.Core.Formats;

/// <summary>
/// A directive of an nginx configuration. Whatever an argument holds, the text that is written reads back as this
/// tree and nothing else.
/// </summary>
/// <param name="Name">What to set; in blocks such as <c>map</c>, any word.</param>
/// <param name="Arguments">What it is set to.</param>
/// <param name="Block">What stands between braces; null for a simple directive.</param>
public sealed record NginxDirective(string Name, ImmutableArray<NginxArgument> Arguments, ImmutableArray<NginxDirective>? Block = null)
{
    /// <summary>
    /// Where it comes from when that is a file of an app's, as <c>more.conf:3</c>. It is written as a comment, so that
    /// whoever reads what nginx says of a line can tell whose it is; null for what is ours.
    /// </summary>
    public string? Origin { get; init; }

    /// <summary>A simple directive with text arguments.</summary>
    public static NginxDirective Of(string name, params ReadOnlySpan<string> texts) =>
        new(name, [.. ToArguments(texts)]);

    /// <summary>A block with text arguments.</summary>
    public static NginxDirective Of(string name, ReadOnlySpan<string> texts, IEnumerable<NginxDirective> block) =>
        new(name, [.. ToArguments(texts)], [.. block]);

    /// <summary>Reads configuration text. What it says may use variables, so it must not come from a value.</summary>
    /// <param name="fileName">Of an app's file, for the <see cref="Origin"/> of each; null for text of our own.</param>
    /// <exception cref="Model.UserError">It is not well-formed; the message has the line.</exception>
    public static ImmutableArray<NginxDirective> Parse(string text, string? fileName = null) => NginxReader.Read(text, fileName);

    public static string Write(IEnumerable<NginxDirective> directives)
    {
        var text = new StringBuilder();
        foreach (var directive in directives)
            directive.AppendTo(text, indent: 0);
        return text.ToString();
    }

    /// <summary>The directive without its block, as in a configuration file.</summary>
    public override string ToString() => string.Join(' ', Arguments.Prepend(NginxArgument.Expression(Name)));

    private string Comment => Origin is null ? "" : $" # {Origin}";

    private void AppendTo(StringBuilder text, int indent)
    {
        text.Append(' ', indent).Append(this);
        if (Block is not { } block)
        {
            text.Append($";{Comment}\n");
            return;
        }
        text.Append($" {{{Comment}\n");
        foreach (var directive in block)
            directive.AppendTo(text, indent + 4);
        text.Append(' ', indent).Append("}\n");
    }

    private static NginxArgument[] ToArguments(ReadOnlySpan<string> texts)
    {
        var arguments = new NginxArgument[texts.Length];
        for (var i = 0; i < texts.Length; i++)
            arguments[i] = NginxArgument.Text(texts[i]);
        return arguments;
    }
}
