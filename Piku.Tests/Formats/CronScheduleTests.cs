using CsCheck;
using Piku.Core.Formats;
using Piku.Core.Model;

namespace Piku.Tests.Formats;

public sealed class CronScheduleTests
{
    [Theory]
    [InlineData("* * * * * a", "-1 -1 -1 -1 -1", "a")]
    [InlineData("*/5 * * * * b", "-5 -1 -1 -1 -1", "b")]
    [InlineData("0 0 1 1 0 c d", "0 0 1 1 0", "c d")]
    [InlineData("59 23 31 12 7 e", "59 23 31 12 7", "e")]
    [InlineData("1 2 3 4 5 echo */3 * x", "1 2 3 4 5", "echo */3 * x")]
    [InlineData("0\t0  *   * * a  b ", "0 0 -1 -1 -1", "a  b")]
    [InlineData("1-3 * * * * r", "1 -1 -1 -1 -1|2 -1 -1 -1 -1|3 -1 -1 -1 -1", "r")]
    [InlineData("0,30 * * * * l", "0 -1 -1 -1 -1|30 -1 -1 -1 -1", "l")]
    [InlineData("5-20/5,5,7 * * * * s", "5 -1 -1 -1 -1|10 -1 -1 -1 -1|15 -1 -1 -1 -1|20 -1 -1 -1 -1|7 -1 -1 -1 -1", "s")]
    [InlineData("0 6,18 * * * x", "0 6 -1 -1 -1|0 18 -1 -1 -1", "x")]
    [InlineData("0 0 * JAN,dec * x", "0 0 -1 1 -1|0 0 -1 12 -1", "x")]
    [InlineData("0 0 * * mon-WED x", "0 0 -1 -1 1|0 0 -1 -1 2|0 0 -1 -1 3", "x")]
    [InlineData("0 0 * * fri-sun x", "0 0 -1 -1 5|0 0 -1 -1 6|0 0 -1 -1 7", "x")]
    [InlineData("0 0 * * 0,7,sun x", "0 0 -1 -1 0", "x")]
    [InlineData("0 0 */10 * * x", "0 0 1 -1 -1|0 0 11 -1 -1|0 0 21 -1 -1|0 0 31 -1 -1", "x")]
    [InlineData("0 0 1 */4 * x", "0 0 1 1 -1|0 0 1 5 -1|0 0 1 9 -1", "x")]
    [InlineData("0 0 * * */3 x", "0 0 -1 -1 -3", "x")]
    [InlineData("*/30,5 * * * * x", "0 -1 -1 -1 -1|30 -1 -1 -1 -1|5 -1 -1 -1 -1", "x")]
    [InlineData("0-59 0-23 1-31 1-12 0-6 x", "-1 -1 -1 -1 -1", "x")]
    [InlineData("*,5 */1 * * 1-7 x", "-1 -1 -1 -1 -1", "x")]
    [InlineData("0 0 1,15 * 1 x", "0 0 1 -1 -1|0 0 15 -1 -1|0 0 -1 -1 1", "x")]
    [InlineData("0 0 29 2 * x", "0 0 29 2 -1", "x")]
    [InlineData("0 0 31 2 1 x", "0 0 31 2 1", "x")]
    [InlineData("@hourly x", "0 -1 -1 -1 -1", "x")]
    [InlineData("@daily x y", "0 0 -1 -1 -1", "x y")]
    [InlineData("@midnight x", "0 0 -1 -1 -1", "x")]
    [InlineData("@weekly x", "0 0 -1 -1 0", "x")]
    [InlineData("@monthly x", "0 0 1 -1 -1", "x")]
    [InlineData("@yearly x", "0 0 1 1 -1", "x")]
    [InlineData("@annually x", "0 0 1 1 -1", "x")]
    public void A_schedule_becomes_uwsgi_lines_and_leaves_the_command(string text, string lines, string command)
    {
        var schedule = CronSchedule.Parse(text);
        Assert.Equal(lines, string.Join('|', schedule.Lines));
        Assert.Equal(command, schedule.Command);
    }

    [Theory]
    [InlineData("60 * * * * x", "the minute field '60'")]
    [InlineData("* 24 * * * x", "the hour field '24'")]
    [InlineData("* * 0 * * x", "the day field '0'")]
    [InlineData("* * 32 * * x", "the day field '32'")]
    [InlineData("* * * 13 * x", "the month field '13'")]
    [InlineData("* * * * 8 x", "the weekday field '8'")]
    [InlineData("*/70 * * * * x", "the minute field '*/70'")]
    [InlineData("*/0 * * * * x", "the minute field '*/0'")]
    [InlineData("-5 * * * * x", "the minute field '-5'")]
    [InlineData("+5 * * * * x", "the minute field '+5'")]
    [InlineData("5-1 * * * * x", "the minute field '5-1'")]
    [InlineData("5/10 * * * * x", "the minute field '5/10'")]
    [InlineData("1,,2 * * * * x", "the minute field '1,,2'")]
    [InlineData("1-2-3 * * * * x", "the minute field '1-2-3'")]
    [InlineData("jan * * * * x", "the minute field 'jan'")]
    [InlineData("* * * * tues x", "the weekday field 'tues'")]
    [InlineData("99999999999999999999 * * * * x", "the minute field '9999")]
    [InlineData("* * * *  two spaces", "the weekday field 'two'")]
    [InlineData("", "the minute field ''")]
    [InlineData("* * * * *", "the schedule has no command")]
    [InlineData("@daily", "the schedule has no command")]
    [InlineData("@reboot x", "'@reboot' is not a schedule")]
    [InlineData("0-58 0-22 * * * x", "the schedule needs more than 400 uWSGI cron lines")]
    [InlineData("0 0 31 2 * x", "the day field '31' and the month field '2' never meet")]
    [InlineData("0 0 31 apr,jun * x", "the day field '31' and the month field 'apr,jun' never meet")]
    [InlineData("0 0 30-31 2 */2 x", "the day field '30-31' and the month field '2' never meet")]
    public void What_cannot_be_kept_is_refused_by_its_field(string text, string message) =>
        Assert.StartsWith(message, Assert.Throws<UserError>(() => CronSchedule.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void Where_a_star_makes_both_count_the_days_are_looked_at_when_the_weekday_has_come()
    {
        var schedule = CronSchedule.Parse("0 0 */10 * 1,2 x");
        Assert.Equal("0 0 -1 -1 1|0 0 -1 -1 2", string.Join('|', schedule.Lines));
        Assert.Equal([1, 11, 21, 31], schedule.Days);
        Assert.Empty(CronSchedule.Parse("0 0 1,11 * 1,2 x").Days);
    }

    /// <summary>Against crontab(5) itself: every day of a year, for any days, months and weekdays.</summary>
    [Fact]
    public void Every_date_on_which_cron_runs_a_command_and_no_other_has_a_line() =>
        Gen.Select(Field(1, 31), Field(1, 12), Field(0, 6)).Sample((day, month, weekday) =>
        {
            if (TryParse($"0 0 {day.Text} {month.Text} {weekday.Text} x") is not { } schedule)
                return;
            for (var date = new DateOnly(2024, 1, 1); date.Year == 2024; date = date.AddDays(1))
            {
                var (isDay, isWeekday) = (day.Values.Contains(date.Day), weekday.Values.Contains((int)date.DayOfWeek));
                var isEither = day.Text[0] != '*' && weekday.Text[0] != '*';
                var runs = month.Values.Contains(date.Month) && (isEither ? isDay || isWeekday : isDay && isWeekday);
                var isIn = schedule.Days.IsEmpty || schedule.Days.Contains(date.Day);
                Assert.True(runs == (isIn && schedule.Lines.Any(line => Matches(line, date))), $"{date} {day.Text} {month.Text} {weekday.Text}");
            }
        }, iter: 200);

    /// <summary>As uWSGI compares (core/cron.c and its uwsgi_cron_task_needs_execution).</summary>
    private static bool Matches(CronLine line, DateOnly date)
    {
        var (day, weekday) = (Is(line.Day, date.Day), Is(line.Weekday % 7, (int)date.DayOfWeek));
        return Is(line.Month, date.Month) && (line.Day >= 0 && line.Weekday >= 0 ? day || weekday : day && weekday);

        static bool Is(int wanted, int value) => wanted < 0 ? value % -wanted == 0 : wanted == value;
    }

    private static CronSchedule? TryParse(string text)
    {
        try
        {
            return CronSchedule.Parse(text);
        }
        catch (UserError refused)
        {
            // In a year without such a day there is nothing to compare; too many lines are another test's.
            Assert.Matches("never meet|needs more than", refused.Message);
            return null;
        }
    }

    /// <summary>A field as it is written, and the values that it has.</summary>
    private static Gen<(string Text, int[] Values)> Field(int min, int max)
    {
        var all = Enumerable.Range(min, max - min + 1).ToArray();
        var step = Gen.Int[1, 6];
        return Gen.OneOf(
            Gen.Const(("*", all)),
            step.Select(n => ($"*/{n}", all.Where(value => (value - min) % n == 0).ToArray())),
            Gen.Select(Gen.Int[min, max], Gen.Int[min, max], step).Select((a, b, n) => (Math.Min(a, b), Math.Max(a, b), n))
                .Select(range => ($"{range.Item1}-{range.Item2}/{range.n}", all.Where(value => value >= range.Item1 && value <= range.Item2 && (value - range.Item1) % range.n == 0).ToArray())),
            Gen.Int[min, max].Array[1, 4].Select(values => (string.Join(',', values), values)));
    }

    [Fact]
    public void Every_minute_of_lists_and_ranges_runs_the_command_once() =>
        Gen.Select(Gen.Int[0, 59].Array[1, 6], Gen.Int[0, 20], Gen.Int[0, 3]).Sample((minutes, hour, span) =>
        {
            var schedule = CronSchedule.Parse($"{string.Join(',', minutes)} {hour}-{hour + span} * * * x");
            var all = from h in Enumerable.Range(0, 24) from m in Enumerable.Range(0, 60) select (h, m);
            Assert.All(all, now => Assert.Equal(
                minutes.Contains(now.m) && now.h >= hour && now.h <= hour + span ? 1 : 0,
                schedule.Lines.Count(line => line.Minute == now.m && line.Hour == now.h)));
        }, iter: 20);
}
