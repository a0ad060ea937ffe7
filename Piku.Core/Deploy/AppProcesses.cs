using Piku.Core.Machine;
using Piku.Core.Model;
using Piku.Core.Services;
using Piku.Core.Settings;

namespace Piku.Core.Deploy;

/// <summary>
/// Everything that runs of an app: workers, and what they, its builds and its <c>run</c>s have started, wherever that has
/// gone. A process belongs to the app that its mark names, or to the vassal that it descends from.
/// </summary>
internal sealed class AppProcesses(Installation piku, AppName app)
{
    /// <summary>uWSGI counts in whole seconds, and ends what it started itself before we do.</summary>
    private static readonly TimeSpan Allowance = TimeSpan.FromSeconds(1);

    /// <summary>For SIGKILL to take effect; a process that the kernel holds ends later.</summary>
    private static readonly TimeSpan KillLimit = TimeSpan.FromSeconds(5);

    /// <summary>Ends vassals with all that goes with them, and waits until nothing is left: SIGTERM, PIKU_STOP_TIMEOUT, SIGKILL.</summary>
    /// <param name="vassals">Names, without <c>.ini</c>. Their files are gone already; the emperor is told here.</param>
    /// <param name="which">
    /// The marks of what else has to go. A vassal that stays and is reloaded to be what it was carries such a mark until then,
    /// and is waited for.
    /// </param>
    /// <returns>False when something is left all the same.</returns>
    public async Task<bool> EndAsync(IReadOnlyCollection<string> vassals, Func<ProcessMark, bool> which, CancellationToken cancel)
    {
        var limit = Limit() + Allowance;
        var asked = new HashSet<(int Id, ulong Started)>();
        var commands = new HashSet<int>();
        var start = piku.Clock.GetTimestamp();
        while (true)
        {
            var scene = Look(await piku.Emperor.StatusAsync(cancel), vassals, which);
            var elapsed = piku.Clock.GetElapsedTime(start);
            if (scene.Left.Count == 0 && scene.Masters.Count == 0 && (!scene.IsReloading || elapsed >= limit))
                return true;
            if (elapsed >= limit + KillLimit)
                return false;
            commands.UnionWith(scene.Left.Where(process => scene.Masters.Contains(process.Parent) && process.Group == process.Id).Select(process => process.Id));
            foreach (var process in scene.Left)
            {
                if (elapsed >= limit)
                    Signals.Send(process, Signals.Kill);
                // uWSGI itself asks its workers, which end their children as they like, and the whole group of its command.
                else if (!scene.InTrees.Contains(process.Id) && !commands.Contains(process.Group) && asked.Add((process.Id, process.Started)))
                    Signals.Send(process, Signals.Terminate);
            }
            await Task.Delay(Emperor.PauseAfter(elapsed), piku.Clock, cancel);
        }
    }

    /// <summary>What has to go with a version of which nothing stays.</summary>
    public static bool IsOfVersion(ProcessMark mark) => mark.Purpose is not ProcessPurpose.Run;

    /// <summary>True for a mark of a worker of the app that no enabled vassal has.</summary>
    public Func<ProcessMark, bool> OfEarlierVersions()
    {
        var staying = piku.Vassals.Marks(app);
        return mark => mark.Purpose is ProcessPurpose.Worker && !staying.Contains(mark);
    }

    private TimeSpan Limit()
    {
        // It is the app's file. An app must end all the same.
        var environment = piku.Apps.ReadableLiveEnv(app) ?? EnvMap.Empty;
        return TimeSpan.FromSeconds(AppSettings.StopTimeout.In(AppSettings.StopTimeout.Complaint(environment) is null ? environment : EnvMap.Empty));
    }

    private Scene Look(EmperorStatus? status, IReadOnlyCollection<string> vassals, Func<ProcessMark, bool> which)
    {
        var table = ProcessTable.Read();
        var masters = Masters(vassals);
        var leaving = ProcessTable.TreesOf(table, masters);
        var reloading = Masters(piku.Vassals.Enabled(app).Select(file => Path.GetFileNameWithoutExtension(file)).Except(vassals).Where(IsReloading));
        var staying = ProcessTable.TreesOf(table, reloading);
        return new(masters, leaving, [.. table.Where(process => !process.IsZombie && (leaving.Contains(process.Id) || HasToGo(process)))], reloading.Count > 0);

        bool IsReloading(string vassal) =>
            status?.Find(vassal) is { ProcessId: > 0 and var id }
            && ProcessTable.MarkOf(id) is { } now && piku.Vassals.MarkOf(vassal) is { } wanted && now != wanted;

        HashSet<int> Masters(IEnumerable<string> names) =>
            status is null ? [] : [.. names.Select(status.Find).OfType<VassalStatus>().Select(vassal => vassal.ProcessId).Where(id => id > 0)];

        bool HasToGo(ProcessInfo process) => !staying.Contains(process.Id)
            && MarkedProcesses.MarkOf(process) is { } mark && mark.IsOf(piku.Paths.Root, app) && which(mark);
    }

    /// <summary>How things stand at one moment.</summary>
    /// <param name="Masters">Of the vassals that have to go.</param>
    /// <param name="InTrees">All that descends from them.</param>
    /// <param name="Left">All that has to go and runs.</param>
    /// <param name="IsReloading">A vassal that stays is not yet what its file says.</param>
    private sealed record Scene(HashSet<int> Masters, HashSet<int> InTrees, IReadOnlyList<ProcessInfo> Left, bool IsReloading);
}
