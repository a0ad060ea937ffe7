using System.Globalization;
using Piku.Core.Deploy;
using Piku.Core.Model;

namespace Piku.Server.Commands;

/// <summary>What is being deployed, by whichever process: deploys, deploys:cancel.</summary>
internal static class DeployVerbs
{
    public static async Task<int> ListAsync(CommandCall call, CancellationToken cancel)
    {
        var deploys = call.Piku.Deploys.All().Where(deploy => call.Caller.Rights.MaySee(AppName.Parse(deploy.App))).ToList();
        if (deploys.Count == 0)
        {
            await call.SayAsync("No deploys are under way.", cancel);
            return 0;
        }
        string[][] rows = [["APP", "WHAT", "BY", "SINCE", "HOW FAR"], .. deploys.Select(Row)];
        foreach (var line in Columns.Align(rows))
            await call.SayAsync(line, cancel);
        return 0;
    }

    public static async Task<int> CancelAsync(CommandCall call, CancellationToken cancel)
    {
        var ended = await call.Piku.Deploys.CancelAsync(call.App, call.Deployer().Name, cancel);
        await call.SayAsync($"The {ended} is cancelled; what ran before runs on.", cancel);
        return 0;
    }

    private static string[] Row(DeployNotice deploy) =>
    [
        deploy.App,
        deploy.Purpose,
        Printable.Text(deploy.By),
        deploy.Since.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture),
        deploy switch
        {
            { CancelledBy: { } who } => Printable.Text($"is being cancelled by {who}"),
            { Place: DeployPlace.WaitsForApp } => "waits for the deploy before it",
            { Place: DeployPlace.WaitsForSlot } => "waits for deploys of other apps",
            { Place: DeployPlace.Settled } => "runs; the version before ends",
            { Step: "" } => "begins",
            _ => Printable.Text(deploy.Step),
        },
    ];
}
