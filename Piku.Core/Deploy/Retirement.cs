using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Core.Deploy;

/// <summary>
/// The end of the version before, when nobody is sent to it any more: its workers finish the requests that they have,
/// and stop. May be repeated after an interruption.
/// </summary>
internal sealed class Retirement(Installation piku, AppName app, DeployLog log)
{
    /// <summary>For nginx's workers of before, which may still be reading a request that they will hand to the old version.</summary>
    private static readonly TimeSpan NginxSettles = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);

    /// <summary>Stops every vassal of the app but these, with all that versions before have started.</summary>
    /// <param name="staying">File names.</param>
    /// <param name="drain">How long requests may take to be finished.</param>
    public async Task RunAsync(IReadOnlyCollection<string> staying, TimeSpan drain, CancellationToken cancel)
    {
        var leaving = piku.Vassals.Enabled(app).Except(staying).ToList();
        var names = leaving.Select(file => Path.GetFileNameWithoutExtension(file)).ToList();
        if (leaving.Count > 0)
            await DrainAsync(names, drain, cancel);
        leaving.ForEach(piku.Vassals.Remove);
        var processes = new AppProcesses(piku, app);
        if (!await processes.EndAsync(names, processes.OfEarlierVersions(), cancel))
            await log.WarnAsync($"some processes of the previous version of '{app}' do not end.", cancel);
        piku.Groups.Tidy();
        // uWSGI leaves its socket behind.
        foreach (var stand in Enum.GetValues<Stand>().Where(stand => staying.Count == 0 || stand != piku.Vassals.CurrentStand(app)))
            AtomicFile.Delete(piku.Paths.NginxSocket(app, stand));
    }

    private async Task DrainAsync(List<string> names, TimeSpan drain, CancellationToken cancel)
    {
        var start = piku.Clock.GetTimestamp();
        while (piku.Clock.GetElapsedTime(start) is var elapsed && elapsed < drain)
        {
            if ((elapsed >= NginxSettles || !piku.Nginx.HasOldWorkers()) && await ConnectionsAsync(names, cancel) == 0)
                return;
            await Task.Delay(Poll, piku.Clock, cancel);
        }
        if (drain > TimeSpan.Zero && await ConnectionsAsync(names, cancel) is > 0 and var left)
            await log.WarnAsync($"{left} requests to the version before did not end within {drain.TotalSeconds:0} seconds, and are cut off.", cancel);
    }

    private async Task<int> ConnectionsAsync(List<string> names, CancellationToken cancel) =>
        await piku.Emperor.StatusAsync(cancel) is not { } status ? 0
        : ServedConnections.Count(names.Select(status.Find).OfType<Services.VassalStatus>().SelectMany(vassal => ProcessTable.TreeOf(vassal.ProcessId)));
}
