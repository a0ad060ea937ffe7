using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Piku.Core.Model;

namespace Piku.Server.Hosting.Systemd;

/// <summary>
/// Sockets that listen already, from whoever has started us: sd_listen_fds(3). They stay open while no daemon runs, so
/// that clients wait across a restart instead of being refused.
/// </summary>
internal static partial class PassedSockets
{
    /// <summary>SD_LISTEN_FDS_START: after the standard streams.</summary>
    private const int First = 3;

    // fcntl(2) and socket(7), on Linux.
    private const int SetDescriptorFlags = 2, CloseOnExec = 1;
    private const int SocketLevel = 1, IsListening = 30;

    /// <summary>The sockets; none, when there are none or they are for another process.</summary>
    /// <exception cref="UserError">One of them is nothing to listen on.</exception>
    public static IReadOnlyList<Socket> Take()
    {
        var (process, count, names) = (ServiceVariables.Take("LISTEN_PID"), ServiceVariables.Take("LISTEN_FDS"), ServiceVariables.Take("LISTEN_FDNAMES"));
        if (process is null || count is null || Number("LISTEN_PID", process) != Environment.ProcessId)
            return [];
        var named = names?.Split(':') ?? [];
        return [.. Enumerable.Range(0, Number("LISTEN_FDS", count)).Select(i => Take(First + i, named.ElementAtOrDefault(i) ?? "unknown"))];
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "The socket owns its handle.")]
    private static Socket Take(int descriptor, string name)
    {
        if (SetDescriptor(descriptor, SetDescriptorFlags, CloseOnExec) < 0)
            throw Unusable(descriptor, name, "is not open");
        Socket socket;
        try
        {
            socket = new Socket(new SafeSocketHandle(descriptor, ownsHandle: true));
        }
        catch (SocketException)
        {
            throw Unusable(descriptor, name, "is no TCP socket");
        }
        if (Fault(socket) is { } fault)
        {
            socket.Dispose();
            throw Unusable(descriptor, name, fault);
        }
        return socket;
    }

    private static string? Fault(Socket socket) => socket switch
    {
        { AddressFamily: not (AddressFamily.InterNetwork or AddressFamily.InterNetworkV6) } => "is no TCP socket",
        { SocketType: not SocketType.Stream } => "is no TCP socket",
        _ when !Listens(socket) => "does not listen; a socket unit needs Accept=no",
        _ => null,
    };

    private static bool Listens(Socket socket)
    {
        Span<byte> answer = stackalloc byte[sizeof(int)];
        return socket.GetRawSocketOption(SocketLevel, IsListening, answer) == sizeof(int) && MemoryMarshal.Read<int>(answer) != 0;
    }

    private static UserError Unusable(int descriptor, string name, string fault) =>
        new($"the descriptor {descriptor} ('{name}') that piku was started with {fault}: LISTEN_FDS is to count TCP sockets that listen, for ssh (docs/systemd.md).");

    private static int Number(string variable, string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new UserError($"{variable} is '{text}', but must be a number.");

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int SetDescriptor(int descriptor, int command, nint argument);
}
