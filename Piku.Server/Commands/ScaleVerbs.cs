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
        var changes = call.Arguments.Skip(1).Select(Parse).ToList();
        await call.Deployment(call.App).ScaleAsync(
            scaling => changes.Aggregate(scaling, (all, change) => all.Counts.Any(pair => pair.Key == change.Kind)
                ? all.With(change.Kind, change.Count)
                : throw new UserError($"app '{call.App}' has no worker of kind '{change.Kind}'.")),
            cancel);
        return 0;
    }

    private static (string Kind, int Count) Parse(string text) =>
        text.Split('=', 2) is [{ Length: > 0 } kind, var count]
            ? (kind, Scaling.ParseCount(count))
            : throw new UserError($"'{text}' is not a scaling: write KIND=COUNT, for example web=2.");
}
