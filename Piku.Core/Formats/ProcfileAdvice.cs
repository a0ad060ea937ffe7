using System.Text.RegularExpressions;
using Piku.Core.Model;

namespace Piku.Core.Formats;

/// <summary>What is said of lines of a Procfile that can be read, and mean something else than their author thinks.</summary>
internal static partial class ProcfileAdvice
{
    /// <summary>The kinds that are more than a program to keep running.</summary>
    private static readonly string[] Special = ["web", "wsgi", "jwsgi", "rwsgi", "php", "static", "preflight", "release", "cron"];

    /// <summary>A sentence for a kind in capitals, which is a worker like any other; null for all others.</summary>
    public static string? Warning(ProcfileEntry entry) =>
        Special.FirstOrDefault(kind => IsMeant(entry.Kind, kind)) is not { } meant ? null
        : $"Procfile line {entry.Line}: '{entry.Kind}' is a worker that serves nobody, because kinds are lower case: write '{meant}{entry.Kind[meant.Length..]}: …' if you mean that.";

    /// <exception cref="UserError">The line could only fail; the message says what to write.</exception>
    public static void Refuse(ProcfileEntry entry)
    {
        if (HerokuPhp().Match(entry.Command) is { Success: true } php)
        {
            var folder = php.Groups["folder"].Value.TrimEnd('/');
            throw new UserError($"Procfile line {entry.Line}: '{php.Groups["program"].Value}' is a program of Heroku's: write 'php: {(folder.Length > 0 ? folder : ".")}' in place of '{entry.Kind}: …', and uWSGI serves the folder.");
        }
        if (entry.IsCron)
            RefuseSchedule(entry);
    }

    private static void RefuseSchedule(ProcfileEntry entry)
    {
        try
        {
            CronSchedule.Parse(entry.Command);
        }
        catch (UserError error)
        {
            var note = char.IsAsciiDigit(entry.Command[0]) || "*@-+".Contains(entry.Command[0], StringComparison.Ordinal) ? ""
                : $" Every kind that begins with 'cron' is a schedule: write '{entry.Kind}: 0 3 * * * {entry.Command}' to run it at 3:00, or use another name, such as 'worker: {entry.Command}', to keep it running.";
            throw new UserError($"Procfile line {entry.Line} ({entry.Kind}): {error.Message}{note}", error);
        }
    }

    private static bool IsMeant(string kind, string special) =>
        (special == "cron" ? kind.StartsWith(special, StringComparison.OrdinalIgnoreCase) : kind.Equals(special, StringComparison.OrdinalIgnoreCase))
        && !kind.StartsWith(special, StringComparison.Ordinal);

    /// <summary>The folder is the last word, if that is no option.</summary>
    [GeneratedRegex(@"^(?:\S*/)?(?<program>heroku-php-(?:apache2|nginx))(?:\s+.*?)??(?:\s+(?<folder>[^-\s]\S*))?\s*$")]
    private static partial Regex HerokuPhp();
}
