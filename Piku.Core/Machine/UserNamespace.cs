namespace Piku.Core.Machine;

/// <summary>Numbers of users, or of groups, one after the other.</summary>
public readonly record struct IdRange(uint First, uint Count)
{
    public bool Contains(uint id) => id >= First && id - First < Count;
}

/// <summary>
/// The user namespace (user_namespaces(7)) that this process is root of: nobody outside, but inside as free as root to
/// become one of the users that it was given, and to do as it likes with their files and processes.
/// </summary>
public static class UserNamespace
{
    /// <summary>For more users than a machine has apps; fewer are of no use.</summary>
    public const uint Fewest = 1000;

    /// <summary>Users that this process may become besides itself, each with the group of the same number; null for whoever is no root of a namespace.</summary>
    public static IdRange? Users { get; } = Read();

    /// <summary>Outside, who is root inside.</summary>
    public static uint? RootIs { get; } = Users is null ? null : Lines("uid_map").First(line => line.Inside == 0).Outside;

    /// <summary>Whether another process is in the same namespace as this one.</summary>
    public static bool IsOurs(int process) => NameOf($"{process}") == NameOf("self");

    private static string? NameOf(string process) => File.ResolveLinkTarget($"/proc/{process}/ns/user", returnFinalTarget: false)?.Name;

    private static IdRange? Read()
    {
        if (Libc.EffectiveUser() != 0)
            return null;
        // The whole machine's root has one line with all that there are.
        var groups = Lines("gid_map");
        return Lines("uid_map") is { Count: > 1 } users && users.Where(IsOfUse).Where(groups.Contains).ToList() is [var first, ..]
            ? new(first.Inside, first.Count)
            : null;

        static bool IsOfUse(MapLine line) => line is { Inside: > 0, Count: >= Fewest };
    }

    private static List<MapLine> Lines(string map) =>
    [
        .. from line in File.ReadLines($"/proc/self/{map}")
           select line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(uint.Parse).ToArray() into numbers
           select new MapLine(numbers[0], numbers[1], numbers[2]),
    ];

    private readonly record struct MapLine(uint Inside, uint Outside, uint Count);
}
