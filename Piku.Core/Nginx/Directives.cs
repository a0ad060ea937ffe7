using Piku.Core.Formats;

namespace Piku.Core.Nginx;

/// <summary>Short words for the directives that sites are made of.</summary>
internal static class Directives
{
    public static NginxDirective Plain(string name, params ReadOnlySpan<string> texts) => NginxDirective.Of(name, texts);

    /// <summary>A directive whose arguments name nginx's own variables. Nothing of an app may be in them.</summary>
    public static NginxDirective Using(string name, params ReadOnlySpan<string> expressions)
    {
        var arguments = new NginxArgument[expressions.Length];
        for (var i = 0; i < expressions.Length; i++)
            arguments[i] = NginxArgument.Expression(expressions[i]);
        return new NginxDirective(name, [.. arguments]);
    }

    public static NginxDirective Location(string path, IEnumerable<NginxDirective> block) => NginxDirective.Of("location", [path], block);

    /// <param name="modifier"><c>=</c>, <c>^~</c>, or <c>~</c> and <c>~*</c> with a pattern in place of the path.</param>
    /// <param name="path">Text, or a pattern made of text that was escaped.</param>
    /// <param name="block">What holds there.</param>
    public static NginxDirective Location(string modifier, string path, IEnumerable<NginxDirective> block) =>
        new("location", [NginxArgument.Text(modifier), NginxArgument.Expression(path)], [.. block]);
}
