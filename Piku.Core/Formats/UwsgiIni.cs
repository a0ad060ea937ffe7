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
    /// <summary>The arguments of a declared option, by which its template writes <c>%</c>, <c>;</c> and <c>$</c>.</summary>
    private const string Arguments = "%% ; $";

    /// <exception cref="UserError">A value has a line break or a NUL character, which no ini file can hold.</exception>
    public static string Write(IEnumerable<UwsgiSetting> settings)
    {
        var text = new StringBuilder("[uwsgi]\n");
        var declared = 0;
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

    [GeneratedRegex(@"[$@%]\(")]
    private static partial Regex Reference();
}
