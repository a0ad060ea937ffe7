using System.Globalization;
using Piku.Core.Model;

namespace Piku.Core.Machine;

/// <summary>A process as proc(5) shows it. A zombie has ended and only waits for its parent to notice.</summary>
/// <param name="Started">In the kernel's ticks since the machine's start: no other process of that id has the same.</param>
public sealed record ProcessInfo(int Id, int Parent, int Group, int Session, bool IsZombie, ulong Started);

/// <summary>The processes of this machine that we may see, at one moment: <c>/proc</c>.</summary>
public static class ProcessTable
{
    public static IReadOnlyList<ProcessInfo> Read() =>
    [
        .. Directory.EnumerateDirectories("/proc")
            .Select(folder => int.TryParse(Path.GetFileName(folder), NumberStyles.None, null, out var id) ? Find(id) : null)
            .OfType<ProcessInfo>(),
    ];

    /// <summary>The process of that id and all that it has started, as far as they have not been orphaned.</summary>
    public static IReadOnlyList<int> TreeOf(int id) => [.. TreesOf(Read(), [id])];

    /// <summary>The same of several, as the table has it.</summary>
    public static HashSet<int> TreesOf(IEnumerable<ProcessInfo> table, IEnumerable<int> roots)
    {
        var children = table.ToLookup(process => process.Parent, process => process.Id);
        var next = new Queue<int>(roots);
        var tree = new HashSet<int>();
        while (next.TryDequeue(out var id))
        {
            if (!tree.Add(id))
                continue;
            foreach (var child in children[id])
                next.Enqueue(child);
        }
        return tree;
    }

    /// <summary>One process, or null when there is none.</summary>
    public static ProcessInfo? Find(int id) =>
        ReadFile($"/proc/{id}/stat") is { } stat
        && stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries) is
            [var state, var parent, var group, var session, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, var started, ..]
            ? new(id, int.Parse(parent), int.Parse(group), int.Parse(session), IsZombie: state is "Z" or "X", ulong.Parse(started))
            : null;

    /// <summary>True while the process runs; a zombie does not.</summary>
    public static bool IsRunning(int id) => Find(id) is { IsZombie: false };

    /// <summary>Command line as it stands now, arguments separated by blanks; empty for a zombie or when it is gone.</summary>
    public static string CommandLine(int id) => ReadFile($"/proc/{id}/cmdline")?.Replace('\0', ' ').TrimEnd() ?? "";

    /// <summary>The program file that the process runs; null when it is gone or another user's.</summary>
    public static string? Program(int id)
    {
        try
        {
            return File.ResolveLinkTarget($"/proc/{id}/exe", returnFinalTarget: false)?.FullName;
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>True when the process was started with exactly this variable; false also when we may not look.</summary>
    public static bool WasStartedWith(int id, string name, string value) =>
        ReadFile($"/proc/{id}/environ")?.Split('\0').Contains($"{name}={value}", StringComparer.Ordinal) ?? false;

    /// <summary>The mark that the process carries; null for one without, or that is gone.</summary>
    public static ProcessMark? MarkOf(int id) => ReadFile($"/proc/{id}/limits") is { } limits ? ProcessMark.Read(limits) : null;

    /// <summary>Null when the process has ended meanwhile, or belongs to another user.</summary>
    private static string? ReadFile(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
