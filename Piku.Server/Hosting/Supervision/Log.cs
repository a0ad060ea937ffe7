using Microsoft.Extensions.Logging;

namespace Piku.Server.Hosting.Supervision;

/// <summary>What supervision has to say.</summary>
internal static partial class Log
{
    [LoggerMessage(Level = LogLevel.Information, Message = "{Program} works (process {ProcessId})")]
    public static partial void Works(ILogger logger, string program, int processId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Program} ended after {Lived:0.0} s ({End}); it starts again in {Wait:0.0} s")]
    public static partial void Ended(ILogger logger, string program, string end, double lived, double wait);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Program} does not work after {Patience} s; it is killed")]
    public static partial void DoesNotWork(ILogger logger, string program, double patience);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Process {ProcessId} was left over from an earlier emperor and is killed: {Command}")]
    public static partial void LeftOver(ILogger logger, int processId, string command);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Certificates: {Problem}")]
    public static partial void Certificates(ILogger logger, string problem);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Problem}")]
    public static partial void Upkeep(ILogger logger, string problem);

    [LoggerMessage(Level = LogLevel.Error, Message = "nginx does not accept {Site}, which is left out: {Message}")]
    public static partial void BrokenSite(ILogger logger, string site, string message);
}
