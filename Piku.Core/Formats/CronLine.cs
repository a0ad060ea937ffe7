namespace Piku.Core.Formats;

/// <summary>
/// One line of uWSGI's <c>cron</c> option (uwsgi-docs, Cron): a number is that value, -1 any value, -N every value that
/// N divides. uWSGI runs a line when all five hold, except that of a day and a weekday that are both numbers one is enough.
/// </summary>
/// <param name="Minute">0-59.</param>
/// <param name="Hour">0-23.</param>
/// <param name="Day">Day of the month, 1-31.</param>
/// <param name="Month">1-12.</param>
/// <param name="Weekday">0-7; both 0 and 7 are Sunday.</param>
public sealed record CronLine(int Minute, int Hour, int Day, int Month, int Weekday)
{
    /// <summary>As uWSGI reads it, before the command.</summary>
    public override string ToString() => $"{Minute} {Hour} {Day} {Month} {Weekday}";
}
