namespace Piku.Core.Workers;

/// <summary>
/// Where a worker's output goes: to a pipe, as programs expect, whose reader keeps the log. The worker's file says which log,
/// in an option by which uWSGI itself does nothing; <c>EmperorFiles.WrapperScript</c> reads it before uWSGI starts.
/// See docs/decisions, 61.
/// </summary>
public static class LogPipe
{
    /// <summary>Of uWSGI: it sets a placeholder for other options to refer to, and none does.</summary>
    public const string Option = "set-ph";

    /// <summary>Of the placeholder, whose value is the most bytes of the log, a blank, and its path below the folder of logs.</summary>
    public const string Name = "piku-log";

    /// <summary>What follows the name of a log that was full, and was begun anew.</summary>
    public const string Full = ".old";

    /// <summary>What the line of the file begins with.</summary>
    public const string Line = $"{Option} = {Name}=";
}
