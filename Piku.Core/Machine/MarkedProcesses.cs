using System.Security.Cryptography;
using Piku.Core.Model;

namespace Piku.Core.Machine;

/// <summary>A process with a mark.</summary>
public sealed record MarkedProcess(ProcessInfo Process, ProcessMark Mark);

/// <summary>The processes of this machine that carry a mark, and what ends them.</summary>
public static class MarkedProcesses
{
    /// <summary>A process may start another while we look; who starts them without end is left after so many looks.</summary>
    private const int MostLooks = 20;

    /// <summary>A mark that no other version, build or run of the app has, but by a chance of one in a million.</summary>
    public static ProcessMark New(PikuPaths paths, AppName app, ProcessPurpose purpose) =>
        ProcessMark.Of(paths.Root, app, purpose, RandomNumberGenerator.GetInt32(ProcessMark.Versions));

    /// <summary>Those that run, at one moment; a zombie does not.</summary>
    public static IReadOnlyList<MarkedProcess> Find(Func<ProcessMark, bool> which) =>
    [
        .. from process in ProcessTable.Read()
           let mark = MarkOf(process)
           where mark is not null && which(mark.Value)
           select new MarkedProcess(process, mark.Value),
    ];

    /// <summary>The mark of a process that runs and is not this one; null for all others.</summary>
    public static ProcessMark? MarkOf(ProcessInfo process) =>
        process.IsZombie || process.Id == Environment.ProcessId ? null : ProcessTable.MarkOf(process.Id);

    /// <summary>SIGKILL to all of them, those that are started meanwhile too.</summary>
    public static void Kill(Func<ProcessMark, bool> which)
    {
        for (var look = 0; look < MostLooks && Find(which) is { Count: > 0 } left; look++)
        {
            foreach (var one in left)
                Signals.Send(one.Process, Signals.Kill);
        }
    }
}
