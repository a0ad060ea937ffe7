using System.Globalization;
using System.Text.RegularExpressions;
using Piku.Core.Formats;
using Piku.Core.Model;
using Piku.Core.Runtimes;
using Piku.Core.Settings;

namespace Piku.Core.Workers;

/// <summary>
/// How much memory and processor time one vassal may take, and what uWSGI runs as soon as it starts to hold it to that
/// (option <c>hook-asap</c>): a control group of its own where the system has given us some (cgroups(7), version 2),
/// the kernel's limit of each process elsewhere (setrlimit(2)). See docs/decisions, 44.
/// </summary>
/// <param name="Memory">MiB of each process; null for no limit.</param>
/// <param name="Processes">That serve requests, or 1: a command with all that it starts.</param>
/// <param name="Cores">That the vassal may use together; null for no limit.</param>
internal sealed partial record Limits(int? Memory, int Processes, decimal? Cores)
{
    /// <summary>MiB that a vassal's group may take beyond its processes: for uWSGI's own.</summary>
    private const int Master = 16;

    /// <summary>
    /// MiB that a process may ask for beyond what it may take. RLIMIT_DATA counts what is asked for, and threads ask for
    /// stacks of which they use next to nothing.
    /// </summary>
    private const int Stacks = 64;

    /// <summary>Microseconds; the kernel's own default (Documentation/admin-guide/cgroup-v2.rst, cpu.max).</summary>
    private const int Period = 100_000;

    /// <param name="processes">That uWSGI itself serves with; 1 for a command.</param>
    /// <param name="count">Of <c>ps:scale</c>, where they share one vassal.</param>
    /// <exception cref="UserError">A limit is none.</exception>
    public static Limits Of(EnvMap variables, int processes, int count) => new(
        AppSettings.MemoryLimit.TryIn(variables, out var memory) ? memory : null,
        processes,
        AppSettings.CpuLimit.TryIn(variables, out var cores) ? cores * count : null);

    /// <summary>The sentence for the one who deploys when this machine cannot hold an app to what it says of itself.</summary>
    public static string? Problem(HostFacts host, EnvMap variables) =>
        AppSettings.CpuLimit.IsSetIn(variables) && host.Groups is not { HasCpu: true }
            ? $"{AppSettings.CpuLimit.Key} has no effect: piku was given no control group with the controller 'cpu'. docs/deploys.md says how."
        : AppSettings.MemoryLimit.IsSetIn(variables) && host is { Groups: not { HasMemory: true }, HasPrlimit: false }
            ? $"{AppSettings.MemoryLimit.Key} has no effect: piku was given no control group with the controller 'memory', and there is no 'prlimit' here (on Debian: util-linux)."
        : null;

    /// <param name="vassal">Its name, which its group gets.</param>
    /// <param name="serves">True when uWSGI itself serves; then a process that has grown is replaced between two requests, before the kernel refuses it more.</param>
    public IEnumerable<UwsgiSetting> Settings(HostFacts host, string vassal, bool serves)
    {
        if (Memory is { } memory && serves)
            yield return UwsgiSetting.Text("reload-on-rss", $"{memory}");
        var commands = Commands(host, vassal).ToList();
        if (commands.Count > 0 && !NeedsPiku(host))
            yield return Hook(commands);
    }

    /// <summary>
    /// For a vassal that runs as a user of its own, who may change no group: what piku runs before it starts, in a shell
    /// whose parent is to become the vassal. Null for nothing.
    /// </summary>
    public string? Script(HostFacts host, string vassal) =>
        !NeedsPiku(host) || Commands(host, vassal).ToList() is not { Count: > 0 } commands ? null : string.Join("; ", commands) + "\n";

    /// <summary>A process may limit itself, also when it is reloaded in place; but an app's user may change no group.</summary>
    private static bool NeedsPiku(HostFacts host) => host is { AppUser: not null, Groups: { } groups } && (groups.HasCpu || groups.HasMemory);

    /// <summary>
    /// A vassal's file as it must be to replace another: a reload keeps the process, and with it its limits, so what only
    /// the file before had is lifted.
    /// </summary>
    public static string Lifted(string? before, string text)
    {
        if (before is null || !Limit().IsMatch(before) || Limit().IsMatch(text))
            return text;
        var groups = Group().Match(before) is { Success: true } group ? Enter(group.Groups["path"].Value, "max", "max") : null;
        return UwsgiIni.Adding(text, [Hook([.. new[] { groups, Process("unlimited") }.OfType<string>()])]);
    }

    /// <summary>None of them can keep the app from starting.</summary>
    private static UwsgiSetting Hook(IEnumerable<string> commands) => UwsgiSetting.Text("hook-asap", $"exec:{string.Join("; ", commands)}; true");

    private IEnumerable<string> Commands(HostFacts host, string vassal)
    {
        if (Memory is null && Cores is null)
            yield break;
        var process = !host.HasPrlimit ? null : Process(Memory is { } each ? $"{(each + Stacks) * 1024L * 1024}" : "unlimited");
        if (host.Groups is not { } groups || !(groups.HasCpu || groups.HasMemory))
        {
            if (process is not null)
                yield return process;
            yield break;
        }
        var enter = Enter(
            $"{groups.Folder}/{vassal}",
            !groups.HasMemory ? null : Memory is { } memory ? $"{((memory * (long)Processes) + Master) * 1024 * 1024}" : "max",
            !groups.HasCpu ? null : Cores is { } cores ? $"{(cores * Period).ToString("0", CultureInfo.InvariantCulture)} {Period}" : "max");
        yield return process is null ? enter
            : groups.HasMemory ? $"{enter} || {process}"
            : $"{enter}; {process}";
    }

    /// <summary>uWSGI runs it in a shell whose parent is the vassal.</summary>
    private static string Enter(string group, string? memory, string? cpu) =>
        $"{{ mkdir -p '{group}'"
        + (memory is null ? "" : $" && echo {memory} > '{group}/memory.max'" + Swap(group, memory))
        + (cpu is null ? "" : $" && echo {cpu} > '{group}/cpu.max'")
        + $" && echo $PPID > '{group}/cgroup.procs'; }} 2> /dev/null";

    /// <summary>
    /// None with a limit, which would otherwise be one of how much is taken at once: what leaks ends in swap, and the
    /// machine with it. A kernel that counts no swap has no such file.
    /// </summary>
    private static string Swap(string group, string memory) =>
        $" && {{ [ ! -e '{group}/memory.swap.max' ] || echo {(memory == "max" ? memory : "0")} > '{group}/memory.swap.max'; }}";

    /// <summary>The soft limit, which may be raised again when the app's has been.</summary>
    private static string Process(string bytes) => $"prlimit --pid=$PPID --data={bytes}:";

    [GeneratedRegex(@"(?<=hook-asap = exec:.*)(--data=|echo )\d")]
    private static partial Regex Limit();

    [GeneratedRegex(@"hook-asap = exec:\{ mkdir -p '(?<path>[^'\n]+)'")]
    private static partial Regex Group();
}
