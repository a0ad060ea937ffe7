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
    [InlineData("0 0 */2 * 1,2 x", "0 0 -2 -1 1|0 0 -2 -1 2", "x")]
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
    [InlineData("*,5 * * * * x", "the minute field '*,5'")]
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
    [InlineData("0-59 0-23 * * * x", "the schedule needs more than 400 uWSGI cron lines")]
    [InlineData("0 0 1,15 * 1 x", "the day and the weekday are both restricted")]
    [InlineData("0 0 1 * 1-5 x", "the day and the weekday are both restricted")]
    public void What_cannot_be_kept_is_refused_by_its_field(string text, string message) =>
        Assert.StartsWith(message, Assert.Throws<UserError>(() => CronSchedule.Parse(text)).Message, StringComparison.Ordinal);

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
