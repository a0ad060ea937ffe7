using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

[assembly: DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]

namespace Piku.Core.Machine;

/// <summary>
/// What .NET does not offer of the C library, on Linux. The names are those of the manual pages; the numbers
/// are those of Linux on every architecture that .NET runs on.
/// </summary>
internal static partial class Libc
{
    public const int OpenReadOnly = 0;
    public const int OpenReadWrite = 2;
    public const int OpenWriteOnly = 1;
    public const int OpenCreate = 0x40;
    public const int OpenWithoutTerminal = 0x100;
    public const int OpenWithoutWaiting = 0x800;
    public const int OpenCloseOnExec = 0x80000;

    public const int LockShared = 1;
    public const int LockExclusive = 2;
    public const int LockWithoutWaiting = 4;
    public const int Unlock = 8;

    public const int WaitWithoutHanging = 1;

    public const int NotPermitted = 1;
    public const int Interrupted = 4;
    public const int WouldBlock = 11;
    public const int TooManyFilesOfAll = 23;
    public const int TooManyFiles = 24;
    public const int NoSpace = 28;
    public const int QuotaExceeded = 122;

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenDescriptor(string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "mkfifo", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int MakeFifo(string path, uint mode);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    public static partial int Flock(SafeFileHandle file, int operation);

    /// <summary>Whether a read of the descriptor would give data at once.</summary>
    public static bool IsReadable(SafeHandle descriptor)
    {
        var held = false;
        try
        {
            descriptor.DangerousAddRef(ref held);
            var asked = new PollEntry { Descriptor = (int)descriptor.DangerousGetHandle(), Events = PollIn };
            return Poll(ref asked, 1, 0) == 1 && (asked.Returned & PollIn) != 0;
        }
        finally
        {
            if (held)
                descriptor.DangerousRelease();
        }
    }

    /// <summary>Whether what is written to the descriptor, a pipe or a socket, would be read by nobody any more.</summary>
    public static bool HasNoReader(int descriptor)
    {
        var asked = new PollEntry { Descriptor = descriptor };
        return Poll(ref asked, 1, 0) == 1 && (asked.Returned & PollError) != 0;
    }

    private const short PollIn = 1, PollError = 8;

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static partial int Poll(ref PollEntry entries, nuint count, int milliseconds);

    /// <summary>struct pollfd of poll(2).</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct PollEntry
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    public static partial int Kill(int pid, int signal);

    /// <summary>A process that is the same as long as it is held (pidfd_open(2), Linux 5.3); null when it is gone, or the kernel is older.</summary>
    public static SafeFileHandle? OpenProcess(int process) =>
        Call(OpenProcessNumber, process, 0, 0, 0) is >= 0 and var descriptor ? new((nint)descriptor, ownsHandle: true) : null;

    /// <summary>pidfd_send_signal(2); false when the process is gone or not ours.</summary>
    public static bool SignalProcess(SafeFileHandle process, int signal) =>
        Call(SignalProcessNumber, process.DangerousGetHandle(), signal, 0, 0) == 0;

    /// <summary>The same on every architecture (asm-generic/unistd.h). The C library has names for them since glibc 2.36.</summary>
    private const nint OpenProcessNumber = 434, SignalProcessNumber = 424;

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint Call(nint number, nint first, nint second, nint third, nint fourth);

    public const int LimitOfLocks = 10;

    /// <summary>getrlimit(2) of this process.</summary>
    [LibraryImport("libc", EntryPoint = "getrlimit", SetLastError = true)]
    public static partial int GetLimit(int resource, out ResourceLimit limit);

    /// <summary>setrlimit(2) of this process.</summary>
    [LibraryImport("libc", EntryPoint = "setrlimit", SetLastError = true)]
    public static partial int SetLimit(int resource, in ResourceLimit limit);

    /// <summary>struct rlimit: what holds, and what it may be raised to.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public readonly record struct ResourceLimit(nuint Soft, nuint Hard);

    [LibraryImport("libc", EntryPoint = "waitpid", SetLastError = true)]
    public static partial int WaitPid(int pid, out int status, int options);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    public static partial uint EffectiveUser();

    [LibraryImport("libc", EntryPoint = "getegid")]
    public static partial uint EffectiveGroup();

    /// <returns>Who it was, also when it stays so.</returns>
    [LibraryImport("libc", EntryPoint = "setfsuid")]
    public static partial uint SetFileUser(uint user);

    /// <inheritdoc cref="SetFileUser"/>
    [LibraryImport("libc", EntryPoint = "setfsgid")]
    public static partial uint SetFileGroup(uint group);

    /// <summary>Of a link, the link's.</summary>
    [LibraryImport("libc", EntryPoint = "lchown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int ChangeOwner(string path, uint user, uint group);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    public static partial int Control(SafeFileHandle file, nuint request, nint argument);

    /// <param name="process">0 for this one.</param>
    [LibraryImport("libc", EntryPoint = "getsid")]
    public static partial int SessionOf(int process);

    [LibraryImport("libc", EntryPoint = "umask")]
    public static partial uint SetMask(uint mask);

    [LibraryImport("libc", EntryPoint = "execve", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Execute(string path, string?[] arguments, string?[] environment);

    [LibraryImport("libc", EntryPoint = "getpwuid", SetLastError = true)]
    public static partial nint PasswordEntry(uint user);

    [LibraryImport("libc", EntryPoint = "getgrgid", SetLastError = true)]
    public static partial nint GroupEntry(uint group);

    /// <summary>open(2), for what <c>File.Open</c> will not do: folders, and files without its own advisory lock.</summary>
    public static SafeFileHandle Open(string path, int flags, UnixFileMode mode = default)
    {
        int descriptor;
        do
            descriptor = OpenDescriptor(path, flags | OpenCloseOnExec, (uint)mode);
        while (descriptor < 0 && Marshal.GetLastPInvokeError() == Interrupted);
        return descriptor >= 0
            ? new SafeFileHandle(descriptor, ownsHandle: true)
            : throw new IOException($"{path}: {Marshal.GetLastPInvokeErrorMessage()}", Marshal.GetLastPInvokeError());
    }
}
