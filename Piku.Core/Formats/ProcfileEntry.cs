namespace Piku.Core.Formats;

/// <summary>One line of a Procfile that counts.</summary>
/// <param name="Kind">What kind of worker: letters, digits, <c>_</c>, <c>-</c>, <c>.</c>; safe in a file name.</param>
/// <param name="Command">The rest of the line, trimmed: a shell command, a module, a folder or a schedule, by kind.</param>
/// <param name="Line">Where it stands, counted from 1.</param>
public sealed record ProcfileEntry(string Kind, string Command, int Line)
{
    /// <summary>Any kind that begins with <c>cron</c>; its command is a <see cref="CronSchedule"/>.</summary>
    public bool IsCron => Kind.StartsWith("cron", StringComparison.Ordinal);
}
