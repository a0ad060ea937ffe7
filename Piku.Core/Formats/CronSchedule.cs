using System.Collections.Immutable;
using Piku.Core.Model;

namespace Piku.Core.Formats;

/// <summary>
/// A crontab line, <c>minute hour day month weekday command</c> or <c>@daily command</c>, as the uWSGI lines that
/// together mean the same (D8). No two lines match the same minute unless the schedule itself says so, so the
/// command runs once. <c>*/N</c> is uWSGI's own "every N", as upstream has it.
/// </summary>
/// <param name="Lines">At least one.</param>
/// <param name="Command">As it was written (D22).</param>
public sealed record CronSchedule(ImmutableArray<CronLine> Lines, string Command)
{
    /// <summary>Most lines that one schedule may become; uWSGI looks at each of them every second.</summary>
    public const int MaxLines = 400;

    /// <exception cref="UserError">Not a schedule, or one that uWSGI cannot keep; the message names the field.</exception>
    public static CronSchedule Parse(string text)
    {
        var words = text.Trim();
        if (words.StartsWith('@'))
        {
            var name = NextWord(ref words);
            return Parse($"{FieldsOf(name)} {words}");
        }
        var minutes = CronField.Minute.Parse(NextWord(ref words));
        var hours = CronField.Hour.Parse(NextWord(ref words));
        var days = CronField.Day.Parse(NextWord(ref words));
        var months = CronField.Month.Parse(NextWord(ref words));
        var weekdays = CronField.Weekday.Parse(NextWord(ref words));
        if (words.Length == 0)
            throw new UserError("the schedule has no command; write 'minute hour day month weekday command'.");

        var dates = DatesOf(days, weekdays);
        if ((long)minutes.Length * hours.Length * months.Length * dates.Length > MaxLines)
            throw new UserError($"the schedule needs more than {MaxLines} uWSGI cron lines; use '*/N' in place of long lists.");
        return new CronSchedule(
            [
                .. from month in months
                   from date in dates
                   from hour in hours
                   from minute in minutes
                   select new CronLine(minute, hour, date.Day, month, date.Weekday),
            ],
            words);
    }

    /// <summary>
    /// cron runs a job when day or weekday matches if both are restricted. One uWSGI line says that of one day and
    /// one weekday; several lines would run the command twice where they meet.
    /// </summary>
    private static ImmutableArray<(int Day, int Weekday)> DatesOf(ImmutableArray<int> days, ImmutableArray<int> weekdays) =>
        days is [>= 0, >= 0, ..] && weekdays[0] >= 0 || weekdays is [>= 0, >= 0, ..] && days[0] >= 0
            ? throw new UserError("the day and the weekday are both restricted, and one is a list; uWSGI can keep only one day with one weekday, so use two cron entries.")
            : [.. from day in days from weekday in weekdays select (day, weekday)];

    private static string FieldsOf(string name) => name switch
    {
        "@hourly" => "0 * * * *",
        "@daily" or "@midnight" => "0 0 * * *",
        "@weekly" => "0 0 * * 0",
        "@monthly" => "0 0 1 * *",
        "@yearly" or "@annually" => "0 0 1 1 *",
        _ => throw new UserError($"'{name}' is not a schedule; use @hourly, @daily, @weekly, @monthly, @yearly or five fields."),
    };

    /// <summary>Takes the first word off; what remains begins with the next.</summary>
    private static string NextWord(ref string text)
    {
        var end = text.AsSpan().IndexOfAny(' ', '\t');
        var word = end < 0 ? text : text[..end];
        text = end < 0 ? "" : text[end..].TrimStart(' ', '\t');
        return word;
    }
}
