using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Piku.Core.Machine;
using Piku.Core.Model;
using Piku.Core.Runtimes;

namespace Piku.Core.Services;

/// <summary>
/// The control groups (cgroups(7), version 2) that an installation was given, as systemd gives them to a unit with
/// <c>Delegate=</c>: <c>daemon</c> for piku itself, since a group that has groups may have no processes, and below
/// <c>apps</c> one for each vassal with limits, which the vassal makes itself.
/// </summary>
/// <param name="system">The folder that the kernel's file systems are in, when it is not the root.</param>
public sealed partial class ControlGroups(PikuPaths paths, string system = "")
{
    private const string Daemon = "daemon";
    private const string Apps = "apps";

    /// <summary>In memory.events, before a number.</summary>
    private const string EndedByKernel = "oom_kill ";

    private static readonly string[] Controllers = ["memory", "cpu"];

    /// <summary>What whoever was given a group may write.</summary>
    private static readonly string[] Delegated = ["cgroup.procs", "cgroup.subtree_control"];

    /// <summary>Where the daemon tells other processes of this installation, which are in other groups, what it has.</summary>
    private string Told => Path.Combine(paths.Run, "groups");

    /// <summary>What there is for vassals; null when piku was given none.</summary>
    public GroupFacts? Read()
    {
        if (AtomicFile.ReadIfExists(Told) is not { } folder || !File.Exists(Path.Combine(folder, "cgroup.subtree_control")))
            return null;
        var controllers = Words(Path.Combine(folder, "cgroup.subtree_control"));
        return new(folder, controllers.Contains("memory"), controllers.Contains("cpu"));
    }

    /// <summary>
    /// Arranges the groups for the daemon and the emperor that it is about to start, which stays where the daemon is: a
    /// process can only be moved within what is piku's. Does nothing where piku was given no groups.
    /// </summary>
    public void Claim()
    {
        AtomicFile.Delete(Told);
        try
        {
            if (Own() is not { } own || !Plain().IsMatch(own))
                return;
            var top = Path.GetFileName(own) == Daemon && IsOurs(Path.GetDirectoryName(own)!) ? Path.GetDirectoryName(own)! : own;
            if (!IsOurs(top))
                return;
            Directory.CreateDirectory(Path.Combine(top, Daemon));
            // What ends meanwhile cannot be moved, and what cannot be moved shows at the next step.
            foreach (var process in Words(Path.Combine(top, "cgroup.procs")))
                _ = TryTell(Path.Combine(top, Daemon, "cgroup.procs"), process);
            var apps = Directory.CreateDirectory(Path.Combine(top, Apps)).FullName;
            var given = string.Join(' ', Controllers.Intersect(Words(Path.Combine(top, "cgroup.controllers"))).Select(name => $"+{name}"));
            Tell(Path.Combine(top, "cgroup.subtree_control"), given);
            Tell(Path.Combine(apps, "cgroup.subtree_control"), given);
            AtomicFile.Write(Told, apps, AtomicFile.Readable);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            // Then apps have none; a deploy that needs one says so.
        }
    }

    /// <summary>Removes the groups of vassals that are no more; the kernel keeps those that still have processes.</summary>
    public void Tidy()
    {
        if (Read() is not { } groups)
            return;
        foreach (var group in Directory.EnumerateDirectories(groups.Folder).Where(group => !File.Exists(new EmperorFiles(paths).Ini(Path.GetFileName(group)))))
        {
            try
            {
                Directory.Delete(group);
            }
            catch (Exception busy) when (busy is IOException or UnauthorizedAccessException)
            {
                // Its processes are still ending: the next time.
            }
        }
    }

    /// <summary>
    /// How many processes of a vassal's group the kernel has ended for want of memory (memory.events, oom_kill); 0 for
    /// one without a group.
    /// </summary>
    public int OutOfMemory(string vassal)
    {
        var counts = Read() is { } groups ? AtomicFile.ReadIfExists(Path.Combine(groups.Folder, vassal, "memory.events")) : null;
        var ended = counts?.Split('\n').FirstOrDefault(line => line.StartsWith(EndedByKernel, StringComparison.Ordinal));
        return ended is null ? 0 : int.Parse(ended[EndedByKernel.Length..], CultureInfo.InvariantCulture);
    }

    /// <summary>Our own group's folder, where version 2 is mounted (proc_pid_cgroup(5), proc_pid_mountinfo(5)).</summary>
    private string? Own()
    {
        var path = Lines("proc/self/cgroup").FirstOrDefault(line => line.StartsWith("0::/", StringComparison.Ordinal))?["0::".Length..];
        var mount = Lines("proc/self/mountinfo").FirstOrDefault(line => line.Contains(" - cgroup2 ", StringComparison.Ordinal))?.Split(' ');
        return path is null || mount is null ? null : $"{system}{mount[4].TrimEnd('/')}{path.TrimEnd('/')}";
    }

    private static bool IsOurs(string group) => Delegated.All(name => TryTell(Path.Combine(group, name), ""));

    private string[] Lines(string file) => AtomicFile.ReadIfExists($"{system}/{file}")?.Split('\n') ?? [];

    private static string[] Words(string file) => File.ReadAllText(file).Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries);

    private static bool TryTell(string file, string text)
    {
        try
        {
            Tell(file, text);
            return true;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>One write: the kernel takes each for a command.</summary>
    private static void Tell(string file, string text)
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        stream.Write(Encoding.ASCII.GetBytes(text));
    }

    /// <summary>What can stand between the quotes of a shell command, in a line of an ini file.</summary>
    [GeneratedRegex(@"^[\w./:@\\-]+\z")]
    private static partial Regex Plain();
}
