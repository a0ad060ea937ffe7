using Piku.Core.Deploy;
using Piku.Core.Formats;
using Piku.Core.Model;

namespace Piku.Server.Commands;

/// <summary>How many processes of each kind: ps, ps:scale.</summary>
internal static class ScaleVerbs
{
    public static async Task<int> ShowAsync(CommandCall call, CancellationToken cancel)
    {
        var app = call.App;
        foreach (var (kind, count) in call.Piku.Apps.Scaling(app).Counts)
            await call.SayAsync($"{kind}:{count}", cancel);
        if (call.Piku.StateOf(app) is not AppState.Running and var state)
            await call.Streams.Error.LineAsync(state is AppState.Stopped ? $"Warning: app '{app}' is stopped." : $"Warning: app '{app}' is not deployed.", cancel);
        return 0;
    }

    public static async Task<int> SetAsync(CommandCall call, CancellationToken cancel)
    {
        await call.Deployment(call.App).ScaleAsync(new([.. call.Arguments.Skip(1).Select(Parse)]), cancel);
        return 0;
    }

    private static KeyValuePair<string, int> Parse(string text) =>
        text.Split('=', 2) is [{ Length: > 0 } kind, var count]
            ? new(kind, Scaling.ParseCount(count))
            : throw new UserError($"'{text}' is not a scaling: write KIND=COUNT, for example web=2.");
}
