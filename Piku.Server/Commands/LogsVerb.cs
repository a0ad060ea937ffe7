namespace Piku.Server.Commands;

/// <summary><c>logs</c>: ends when the reader goes away (D26).</summary>
internal static class LogsVerb
{
    public static async Task<int> RunAsync(CommandCall call, CancellationToken cancel)
    {
        await foreach (var line in call.Piku.Logs.FollowAsync(call.App, call.Arguments.ElementAtOrDefault(1), cancel))
            await call.SayAsync(line, cancel);
        return 0;
    }
}
