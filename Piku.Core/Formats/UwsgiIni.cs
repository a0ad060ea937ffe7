using System.Text;
using System.Text.RegularExpressions;
using Piku.Core.Model;

namespace Piku.Core.Formats;

/// <summary>
/// Writes uWSGI ini files in which a value can never become configuration (D12).
/// <para>
/// uWSGI reads a file in passes: first <c>%x</c> everywhere (magic variables; <c>%%</c> is a percent sign), then in
/// each option <c>$(VARIABLE)</c>, <c>@(file)</c> and <c>%(option)</c>, which nothing escapes. Only the template of a
/// declared option is never looked at again, and its arguments can stand for the characters in question. So a value
/// that a pass could change, or whose outer blanks would be trimmed, is written as the template of an option that is
/// declared for it and used once (uWSGI core/config.c, uwsgi_opt_custom; tested on 2.0.21).
/// </para>
/// </summary>
public static partial class UwsgiIni
{
    private const string Header = "[uwsgi]\n";

    /// <summary>The arguments of a declared option, by which its template writes <c>%</c>, <c>;</c> and <c>$</c>.</summary>
    private const string Arguments = "%% ; $";

    /// <exception cref="UserError">A value has a line break or a NUL character, which no ini file can hold.</exception>
    public static string Write(IEnumerable<UwsgiSetting> settings) => Header + Lines(settings, declared: 0);

    /// <summary>
    /// The file as it must be to replace another. uWSGI reloads in the same process and so keeps its environment
    /// (uwsgi-docs, "The art of graceful reloading": exec in place): what the file before has set, and what it has
    /// taken away from the one before it, is taken away (option <c>unenv</c>), or it would live on.
    /// </summary>
    /// <param name="before">The file that is replaced, whoever wrote it; null when there is none.</param>
    public static string Replacing(string? before, string text)
    {
        var gone = Variables(before ?? "").Except(Variables(text)).Select(name => UwsgiSetting.Text("unenv", name)).ToList();
        return gone.Count == 0 ? text : Adding(text, gone);
    }

    /// <summary>The file with these before all others.</summary>
    public static string Adding(string text, IEnumerable<UwsgiSetting> settings) =>
        Header + Lines(settings, Declaration().Count(text)) + (text.StartsWith(Header, StringComparison.Ordinal) ? text[Header.Length..] : text);

    /// <summary>True when uWSGI would read something in the text.</summary>
    public static bool HasSyntax(string text) => text.Contains('%', StringComparison.Ordinal) || Reference().IsMatch(text);

    private static string Lines(IEnumerable<UwsgiSetting> settings, int declared)
    {
        var text = new StringBuilder();
        foreach (var setting in settings)
        {
            Check(setting);
            if (setting.IsSyntax)
                text.Append($"{setting.Option} = {setting.Value}\n");
            else if (!NeedsDeclaration(setting.Value))
                text.Append($"{setting.Option} = {setting.Value.Replace("%", "%%", StringComparison.Ordinal)}\n");
            else
            {
                declared++;
                text.Append($"declare-option = text-{declared}={setting.Option}={Template(setting.Value)}\n");
                text.Append($"text-{declared} = {Arguments}\n");
            }
        }
        return text.ToString();
    }

    /// <summary>The names in lines of <c>env</c> and <c>unenv</c>, as they stand or declared.</summary>
    private static IEnumerable<string> Variables(string text) => Variable().Matches(text).Select(match => match.Groups["declared"].Success
        ? match.Groups["name"].Value.Replace("$2", ";", StringComparison.Ordinal).Replace("$1", "%", StringComparison.Ordinal).Replace("$3", "$", StringComparison.Ordinal)
        : match.Groups["name"].Value.Replace("%%", "%", StringComparison.Ordinal));

    private static bool NeedsDeclaration(string value) =>
        Reference().IsMatch(value) || value.AsSpan().Trim(" \t").Length != value.Length;

    /// <summary>A bare <c>;</c> ends a template; it keeps the blanks before it from being trimmed with the line.</summary>
    private static string Template(string value) => value
        .Replace("$", "$3", StringComparison.Ordinal)
        .Replace("%", "$1", StringComparison.Ordinal)
        .Replace(";", "$2", StringComparison.Ordinal) + ";";

    private static void Check(UwsgiSetting setting)
    {
        if (setting.Option.Length == 0 || !setting.Option.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))
            throw new UserError($"'{setting.Option}' is not the name of a uWSGI option.");
        if (setting.Value.AsSpan().ContainsAny('\n', '\r', '\0'))
            throw new UserError($"The uWSGI option '{setting.Option}' cannot have a value with a line break or a NUL character.");
    }

    [GeneratedRegex("^declare-option =", RegexOptions.Multiline)]
    private static partial Regex Declaration();

    /// <summary>A name has no <c>=</c>; the <c>;</c> ends a declared one of <c>unenv</c>.</summary>
    [GeneratedRegex(@"^(?:(?<declared>declare-option = text-\d+=)(?:un)?env=(?<name>[^=;\n]+)|(?:un)?env\s*=\s*(?<name>[^=\n]*[^=\s]))", RegexOptions.Multiline)]
    private static partial Regex Variable();

    [GeneratedRegex(@"[$@%]\(")]
    private static partial Regex Reference();
}
