using System.Collections.Immutable;
using Piku.Core.Model;

namespace Piku.Core.Formats;

/// <summary>
/// A crontab line, <c>minute hour day month weekday command</c> or <c>@daily command</c>, as the uWSGI lines that
/// together mean the same (D8, D33). Two of them may match in one minute, in which the command is to run once all the same.
/// </summary>
/// <param name="Lines">At least one.</param>
/// <param name="Days">Days of the month out of which no line counts; empty for none.</param>
/// <param name="Command">As it was written (D22).</param>
public sealed record CronSchedule(ImmutableArray<CronLine> Lines, ImmutableArray<int> Days, string Command)
{
    /// <summary>Most lines that one schedule may become; uWSGI looks at each of them every second.</summary>
    public const int MaxLines = 400;

    /// <summary>Days that each month can have.</summary>
    private static readonly int[] Longest = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

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
        var dayField = NextWord(ref words);
        var days = CronField.Day.Parse(dayField);
        var monthField = NextWord(ref words);
        var months = CronField.Month.Parse(monthField);
        var weekdayField = NextWord(ref words);
        var weekdays = CronField.Weekday.Parse(weekdayField);
        if (words.Length == 0)
            throw new UserError("the schedule has no command; write 'minute hour day month weekday command'.");

        // crontab(5): "if both fields are restricted (i.e., do not contain the "*" character), the command will be run when either field matches".
        var isEither = !dayField.StartsWith('*') && !weekdayField.StartsWith('*');
        if (!isEither && !Meet(days, months))
            throw new UserError($"the day field '{dayField}' and the month field '{monthField}' never meet: no such month has that day, so the command would never run.");
        var dates = isEither ? EitherOf(days, weekdays) : DatesOf(days, weekdays);
        if ((long)minutes.Length * hours.Length * months.Length * dates.Length > MaxLines)
            throw new UserError($"the schedule needs more than {MaxLines} uWSGI cron lines; use '*' or '*/N' in place of long lists.");
        return new CronSchedule(
            [
                .. from month in months
                   from date in dates
                   from hour in hours
                   from minute in minutes
                   select new CronLine(minute, hour, date.Day, month, date.Weekday),
            ],
            IsRestricted(days) && !isEither && dates[0].Day < 0 ? days : [],
            words);
    }

    /// <summary>Two numbers in one uWSGI line mean either of them, too.</summary>
    private static ImmutableArray<(int Day, int Weekday)> EitherOf(ImmutableArray<int> days, ImmutableArray<int> weekdays) =>
        !IsRestricted(days) || !IsRestricted(weekdays) ? [(-1, -1)]
        : days is [var day] && weekdays is [var weekday] ? [(day, weekday)]
        : [.. days.Select(one => (one, -1)), .. weekdays.Select(one => (-1, one))];

    /// <summary>Both must hold, which no uWSGI line says of two numbers: then the lines have the weekdays alone.</summary>
    private static ImmutableArray<(int Day, int Weekday)> DatesOf(ImmutableArray<int> days, ImmutableArray<int> weekdays) =>
        weekdays is [< 0] ? [.. days.Select(day => (day, weekdays[0]))] : [.. weekdays.Select(weekday => (-1, weekday))];

    private static bool IsRestricted(ImmutableArray<int> values) => values is not [-1];

    private static bool Meet(ImmutableArray<int> days, ImmutableArray<int> months) =>
        !IsRestricted(days) || !IsRestricted(months) || months.Any(month => days.Any(day => day <= Longest[month - 1]));

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
