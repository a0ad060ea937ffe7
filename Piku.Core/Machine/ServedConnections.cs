using System.Collections.Frozen;
using System.Globalization;

namespace Piku.Core.Machine;

/// <summary>
/// The connections that processes serve, as the kernel knows them (proc(5), <c>/proc/net/tcp</c>, <c>/proc/net/unix</c>):
/// those at the addresses where they listen, taken by the program or still waiting for it.
/// </summary>
public static class ServedConnections
{
    private const string Listening = "0A", Established = "01";

    /// <summary>__SO_ACCEPTCON, which marks a listening Unix socket.</summary>
    private const int AcceptsConnections = 1 << 16;

    /// <summary>How many there are at this moment. Processes that are gone, or another user's, serve none.</summary>
    /// <param name="processes">Ids; those of a whole tree, since a child may hold what its parent has opened.</param>
    public static int Count(IEnumerable<int> processes)
    {
        var sockets = processes.SelectMany(Sockets).ToFrozenSet();
        return sockets.Count == 0 ? 0 : CountTcp("/proc/net/tcp", sockets) + CountTcp("/proc/net/tcp6", sockets) + CountUnix(sockets);
    }

    /// <summary>Inodes of the sockets that a process has open.</summary>
    private static List<string> Sockets(int process)
    {
        const string Socket = "socket:[";
        try
        {
            return
            [
                .. new DirectoryInfo($"/proc/{process}/fd").EnumerateFileSystemInfos().Select(Target).OfType<string>()
                    .Where(target => target.StartsWith(Socket, StringComparison.Ordinal)).Select(target => target[Socket.Length..^1]),
            ];
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static string? Target(FileSystemInfo descriptor)
    {
        try
        {
            return descriptor.LinkTarget;
        }
        catch (IOException)
        {
            return null; // closed meanwhile
        }
    }

    //   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
    //    0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 12345 …
    private static int CountTcp(string table, FrozenSet<string> sockets)
    {
        var lines = Lines(table).Where(fields => fields.Length > 9).ToList();
        var ports = lines.Where(fields => fields[3] == Listening && sockets.Contains(fields[9])).Select(fields => PortOf(fields[1])).ToHashSet();
        return lines.Count(fields => fields[3] == Established && ports.Contains(PortOf(fields[1])));
    }

    // Num       RefCount Protocol Flags    Type St Inode Path
    // ffff9a…: 00000002 00000000 00010000 0001 01 12345 /home/piku/.piku/nginx/blog.sock
    private static int CountUnix(FrozenSet<string> sockets)
    {
        var lines = Lines("/proc/net/unix").Where(fields => fields.Length == 8).Select(fields => (Accepts: Accepts(fields[3]), Inode: fields[6], Path: fields[7])).ToList();
        var paths = lines.Where(socket => socket.Accepts && sockets.Contains(socket.Inode)).Select(socket => socket.Path).ToHashSet();
        return lines.Count(socket => !socket.Accepts && paths.Contains(socket.Path));
    }

    private static bool Accepts(string flags) =>
        int.TryParse(flags, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var bits) && (bits & AcceptsConnections) != 0;

    private static string PortOf(string address) => address[(address.IndexOf(':', StringComparison.Ordinal) + 1)..];

    private static IEnumerable<string[]> Lines(string table) =>
        File.Exists(table) ? File.ReadLines(table).Skip(1).Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)) : [];
}
