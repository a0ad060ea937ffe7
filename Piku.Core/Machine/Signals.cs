using System.Runtime.InteropServices;

namespace Piku.Core.Machine;

/// <summary>Signals to processes and process groups: kill(2), signal(7). Numbers are Linux's.</summary>
public static class Signals
{
    public const int Hangup = 1;
    public const int Interrupt = 2;
    public const int Quit = 3;
    public const int Kill = 9;
    public const int User1 = 10;
    public const int Pipe = 13;
    public const int Terminate = 15;
    public const int WindowChange = 28;

    private static readonly string[] Names =
    [
        "", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM",
        "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF",
        "WINCH", "IO", "PWR", "SYS",
    ];

    /// <summary>Sends a signal to one process; false when it is gone or not ours.</summary>
    public static bool Send(int processId, int signal) => processId > 0 && Libc.Kill(processId, signal) == 0;

    /// <summary>
    /// Sends a signal to this very process, and never to another that has got its number meanwhile; false when it is gone or
    /// not ours.
    /// </summary>
    public static bool Send(ProcessInfo process, int signal)
    {
        using var held = Libc.OpenProcess(process.Id);
        // What is held now can be another only if this one is gone, and then the table says so.
        return ProcessTable.Find(process.Id)?.Started == process.Started
            && (held is null ? Send(process.Id, signal) : Libc.SignalProcess(held, signal));
    }

    /// <summary>Sends a signal to every process of a group; false when none is left.</summary>
    public static bool SendToGroup(int group, int signal) => group > 1 && Libc.Kill(-group, signal) == 0;

    /// <summary>True while the process exists, whoever's it is.</summary>
    public static bool IsAlive(int processId) =>
        processId > 0 && (Libc.Kill(processId, 0) == 0 || Marshal.GetLastPInvokeError() == Libc.NotPermitted);

    /// <summary>"TERM" for 15, as in RFC 4254, section 6.10; the number itself for real-time signals.</summary>
    public static string Name(int signal) => signal > 0 && signal < Names.Length ? Names[signal] : $"{signal}";

    /// <summary>15 for "TERM" or "SIGTERM"; null for a name that is none.</summary>
    public static int? Number(string name)
    {
        var bare = name.StartsWith("SIG", StringComparison.Ordinal) ? name[3..] : name;
        var index = Array.IndexOf(Names, bare);
        return index > 0 ? index : null;
    }
}
