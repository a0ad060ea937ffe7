using System.Globalization;
using Piku.Core.Deploy;
using Piku.Core.Model;

namespace Piku.Server.Commands;

/// <summary>What was deployed, and the way back: releases, releases:log, rollback.</summary>
internal static class ReleaseVerbs
{
    public static async Task<int> ListAsync(CommandCall call, CancellationToken cancel)
    {
        var releases = call.Piku.ReleasesOf(call.App).All();
        if (releases.IsEmpty)
        {
            await call.SayAsync($"'{call.App}' has no releases yet: push it.", cancel);
            return 0;
        }
        var live = releases.FirstOrDefault(release => release.Succeeded);
        string[][] rows = [["", "WHEN", "BY", "COMMIT", "BRANCH", "WHAT", "TOOK", "OUTCOME"], .. releases.Select(release => Row(release, release == live))];
        foreach (var line in Columns.Align(rows))
            await call.SayAsync(line, cancel);
        return 0;
    }

    public static async Task<int> LogAsync(CommandCall call, CancellationToken cancel)
    {
        var store = call.Piku.ReleasesOf(call.App);
        var number = NumberIn(call) ?? store.All().FirstOrDefault()?.Number ?? throw new UserError($"'{call.App}' has no releases yet: push it.");
        if (store.Find(number) is null || !File.Exists(store.LogFile(number)))
            throw new UserError($"'{call.App}' has no release {number}; 'releases {call.App}' lists those that are kept.");
        await using var log = new FileStream(store.LogFile(number), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        await log.CopyToAsync(call.Streams.Output, cancel);
        await call.Streams.Output.FlushAsync(cancel);
        return 0;
    }

    public static async Task<int> RollBackAsync(CommandCall call, CancellationToken cancel)
    {
        var wish = new RollbackWish(NumberIn(call), call.Option("--keep-config") is not null, call.Option("--skip-release") is not null);
        await call.Deployment(call.App).RollBackAsync(wish, cancel);
        return 0;
    }

    private static string[] Row(Release release, bool isLive) =>
    [
        $"{(isLive ? '*' : ' ')}{release.Number}",
        release.Began.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture),
        Printable.Text(release.By),
        release.Commit[..Math.Min(10, release.Commit.Length)],
        Printable.Text(release.Branch),
        Printable.Text(release.Purpose),
        release.Duration is { } duration ? duration.TotalSeconds.ToString("0.0 's'", CultureInfo.InvariantCulture) : "-",
        release.Outcome switch
        {
            ReleaseOutcome.Running => "running",
            ReleaseOutcome.Succeeded => "succeeded",
            ReleaseOutcome.Cancelled => "cancelled",
            _ => Printable.Text($"failed: {release.Reason}"),
        },
    ];

    private static int? NumberIn(CommandCall call) => call.Arguments.ElementAtOrDefault(1) is not { } text ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
        : throw new UserError($"'{Printable.Text(text)}' is not the number of a release; 'releases {call.App}' lists them.");
}
