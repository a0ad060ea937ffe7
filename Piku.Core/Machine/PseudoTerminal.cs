using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;

namespace Piku.Core.Machine;

/// <summary>
/// A pseudo-terminal (pty(7)), held at the end where the person is. Reading and writing are asynchronous and hold no
/// thread: a <see cref="Socket"/> over any descriptor that epoll(7) takes is how .NET itself does pipes.
/// Closing it hangs up: the programs on it get SIGHUP, also when this process dies in whatever way.
/// </summary>
internal sealed partial class PseudoTerminal : IDisposable
{
    private const int LongestPath = 128;
    private const nuint SetWindowSize = 0x5414; // TIOCSWINSZ

    private readonly SafeSocketHandle _descriptor;
    private readonly Socket _socket;

    /// <exception cref="IOException">The system has no more of them.</exception>
    public PseudoTerminal(TerminalSettings settings)
    {
        _descriptor = new(Check(Open(Libc.OpenReadWrite | Libc.OpenWithoutTerminal | Libc.OpenCloseOnExec | Libc.OpenWithoutWaiting)), ownsHandle: true);
        try
        {
            Check(Grant(_descriptor));
            Check(Unlock(_descriptor));
            Path = ReadPath();
            Check(GetModes(_descriptor, out var modes));
            foreach (var (opcode, value) in settings.Modes)
                modes.Set(opcode, value);
            Check(SetModes(_descriptor, 0, modes));
            Resize(settings.Size);
            _socket = new(_descriptor);
        }
        catch
        {
            _descriptor.Dispose();
            throw;
        }
    }

    /// <summary>Where programs open it: <c>/dev/pts/…</c>.</summary>
    public string Path { get; }

    /// <summary>The process group that has the keyboard now; 0 when there is none.</summary>
    public int ForegroundGroup => _descriptor.IsClosed ? 0 : Math.Max(GetForegroundGroup(_descriptor), 0);

    /// <summary>Tells the programs on it that the window has changed (SIGWINCH).</summary>
    public void Resize(TerminalSize size)
    {
        // struct winsize: rows, columns, width, height
        ReadOnlySpan<ushort> fields = [size.Rows, size.Columns, size.PixelWidth, size.PixelHeight];
        if (!_descriptor.IsClosed)
            Check(Control(_descriptor, SetWindowSize, fields));
    }

    /// <summary>What the programs show; 0 when no program has it open any more.</summary>
    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await _socket.ReceiveAsync(buffer, cancellationToken);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return 0; // EIO: the last program has closed it
        }
    }

    /// <summary>What the person types; false when no program will read it.</summary>
    public async ValueTask<bool> TryWriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        try
        {
            while (!bytes.IsEmpty)
                bytes = bytes[await _socket.SendAsync(bytes, cancellationToken)..];
            return true;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return false;
        }
    }

    public void Dispose()
    {
        _socket.Dispose();
        _descriptor.Dispose();
    }

    private string ReadPath()
    {
        Span<byte> path = stackalloc byte[LongestPath];
        var error = Name(_descriptor, path, LongestPath);
        return error == 0
            ? Encoding.ASCII.GetString(path[..path.IndexOf((byte)0)])
            : throw new IOException($"ptsname: {Marshal.GetPInvokeErrorMessage(error)}", error);
    }

    private static int Check(int result) => result >= 0
        ? result
        : throw new IOException($"no pseudo-terminal: {Marshal.GetLastPInvokeErrorMessage()}", Marshal.GetLastPInvokeError());

    [LibraryImport("libc", EntryPoint = "posix_openpt", SetLastError = true)]
    private static partial int Open(int flags);

    [LibraryImport("libc", EntryPoint = "grantpt", SetLastError = true)]
    private static partial int Grant(SafeSocketHandle terminal);

    [LibraryImport("libc", EntryPoint = "unlockpt", SetLastError = true)]
    private static partial int Unlock(SafeSocketHandle terminal);

    [LibraryImport("libc", EntryPoint = "ptsname_r")]
    private static partial int Name(SafeSocketHandle terminal, Span<byte> path, nuint length);

    [LibraryImport("libc", EntryPoint = "tcgetattr", SetLastError = true)]
    private static partial int GetModes(SafeSocketHandle terminal, out TerminalModes modes);

    [LibraryImport("libc", EntryPoint = "tcsetattr", SetLastError = true)]
    private static partial int SetModes(SafeSocketHandle terminal, int when, in TerminalModes modes);

    [LibraryImport("libc", EntryPoint = "tcgetpgrp", SetLastError = true)]
    private static partial int GetForegroundGroup(SafeSocketHandle terminal);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Control(SafeSocketHandle terminal, nuint request, ReadOnlySpan<ushort> argument);
}
