using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Piku.Core.Machine;

/// <summary>Calls that name files relative to an open folder, which is how a path stays what it was when it was checked.</summary>
internal static partial class Libc
{
    public const int OpenExclusively = 0x80;
    public const int OpenTruncate = 0x200;
    public const int OpenAppend = 0x400;
    public const int OpenPath = 0x200000;
    public static readonly int OpenFolder = IsArm ? 0x4000 : 0x10000;
    public static readonly int OpenWithoutFollowing = IsArm ? 0x8000 : 0x20000;

    public const int DeleteFolderFlag = 0x200;
    public const uint RenameWithoutReplacing = 1;
    public const int NoEntry = 2;
    public const int AccessDenied = 13;
    public const int NoFolder = 20;
    public const int InvalidArgument = 22;
    public const int IsAFolder = 21;
    public const int LinkLoop = 40;
    public const int NoDevice = 6;

    /// <summary>The same number on every architecture.</summary>
    private const nint OpenAt2 = 437;

    private const ulong ResolveNoMagicLinks = 0x02, ResolveBeneath = 0x08;
    /// <summary>EAGAIN: a folder on the way was moved just then, and the kernel could not say where the path leads.</summary>
    private const int MostTries = 32;

    /// <summary>AT_FDCWD.</summary>
    private const int CurrentFolder = -100;

    /// <summary>AT_EMPTY_PATH: the open file itself.</summary>
    public const int EmptyPath = 0x1000;

    private const int NoFollow = 0x100, BasicStatus = 0x7ff;

    /// <summary>O_DIRECTORY and O_NOFOLLOW are the two flags in which ARM's Linux differs.</summary>
    private static bool IsArm => RuntimeInformation.ProcessArchitecture is Architecture.Arm or Architecture.Armv6 or Architecture.Arm64;

    /// <summary>openat2(2): opens what a path means without ever leaving the folder.</summary>
    /// <exception cref="IOException">As the system says; EXDEV where the path leads out.</exception>
    public static SafeFileHandle OpenBeneath(SafeFileHandle folder, string path, int flags, UnixFileMode mode)
    {
        var how = new OpenHow
        {
            Flags = (ulong)(uint)(flags | OpenCloseOnExec),
            Mode = (flags & OpenCreate) != 0 ? (ulong)mode : 0,
            Resolve = ResolveBeneath | ResolveNoMagicLinks,
        };
        nint descriptor;
        var tries = 0;
        do
            descriptor = OpenAt(OpenAt2, folder, path, how, (nuint)Marshal.SizeOf<OpenHow>());
        while (descriptor < 0 && Marshal.GetLastPInvokeError() is Interrupted or WouldBlock && ++tries < MostTries);
        return descriptor >= 0
            ? new SafeFileHandle(descriptor, ownsHandle: true)
            : throw new IOException(Marshal.GetLastPInvokeErrorMessage(), Marshal.GetLastPInvokeError());
    }

    public static FileStatus Status(SafeFileHandle file, string name = "") =>
        StatusAt(file, name, EmptyPath | NoFollow, BasicStatus, out var fields) == 0
            ? new(fields.Mode, fields.Size, fields.User, fields.Group, fields.Links, fields.Accessed, fields.Modified)
            : throw new IOException(Marshal.GetLastPInvokeErrorMessage(), Marshal.GetLastPInvokeError());

    /// <summary>What something is; of a link, the link. Null where there is nothing.</summary>
    public static FileStatus? TryStatus(string path)
    {
        using var here = new SafeFileHandle(CurrentFolder, ownsHandle: false);
        if (StatusAt(here, path, NoFollow, BasicStatus, out var fields) == 0)
            return new(fields.Mode, fields.Size, fields.User, fields.Group, fields.Links, fields.Accessed, fields.Modified);
        return Marshal.GetLastPInvokeError() is NoEntry or NoFolder ? null
            : throw new IOException($"{path}: {Marshal.GetLastPInvokeErrorMessage()}", Marshal.GetLastPInvokeError());
    }

    [LibraryImport("libc", EntryPoint = "fchownat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int ChangeOwnerOf(SafeFileHandle folder, string name, uint user, uint group, int flags);

    [LibraryImport("libc", EntryPoint = "mkdirat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int CreateFolder(SafeFileHandle folder, string name, uint mode);

    [LibraryImport("libc", EntryPoint = "unlinkat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Delete(SafeFileHandle folder, string name, int flags);

    /// <summary>unlinkat(2) of a name that may be no text; it ends with a NUL, as in all calls that take bytes.</summary>
    [LibraryImport("libc", EntryPoint = "unlinkat", SetLastError = true)]
    public static partial int Delete(SafeFileHandle folder, ReadOnlySpan<byte> name, int flags);

    [LibraryImport("libc", EntryPoint = "renameat2", SetLastError = true)]
    public static partial int Rename(SafeFileHandle folder, ReadOnlySpan<byte> name, SafeFileHandle newFolder, ReadOnlySpan<byte> newName, uint flags);

    /// <summary>openat(2).</summary>
    /// <exception cref="IOException">As the system says.</exception>
    public static SafeFileHandle OpenIn(SafeFileHandle folder, ReadOnlySpan<byte> name, int flags)
    {
        int descriptor;
        do
            descriptor = OpenDescriptor(folder, name, flags | OpenCloseOnExec, 0);
        while (descriptor < 0 && Marshal.GetLastPInvokeError() == Interrupted);
        return descriptor >= 0
            ? new SafeFileHandle(descriptor, ownsHandle: true)
            : throw new IOException(Marshal.GetLastPInvokeErrorMessage(), Marshal.GetLastPInvokeError());
    }

    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true)]
    private static partial int OpenDescriptor(SafeFileHandle folder, ReadOnlySpan<byte> name, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "renameat2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Rename(SafeFileHandle folder, string name, SafeFileHandle newFolder, string newName, uint flags);

    [LibraryImport("libc", EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Rename(string path, string newPath);

    [LibraryImport("libc", EntryPoint = "symlinkat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int CreateLink(string target, SafeFileHandle folder, string name);

    [LibraryImport("libc", EntryPoint = "readlinkat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint ReadLink(SafeFileHandle folder, string name, Span<byte> target, nuint size);

    /// <param name="times">Of the last access and of the last change.</param>
    [LibraryImport("libc", EntryPoint = "utimensat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SetTimes(SafeFileHandle folder, string name, ReadOnlySpan<FileTime> times, int flags);

    [LibraryImport("libc", EntryPoint = "getdents64", SetLastError = true)]
    public static partial nint ReadEntries(SafeFileHandle folder, Span<byte> buffer, nuint size);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint OpenAt(nint number, SafeFileHandle folder, string path, in OpenHow how, nuint size);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatusAt(SafeFileHandle folder, string name, int flags, uint mask, out StatusFields status);

    /// <summary>struct timespec.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public readonly record struct FileTime(nint Seconds, nint Nanoseconds)
    {
        public static FileTime Of(DateTime time) => new((nint)new DateTimeOffset(time).ToUnixTimeSeconds(), 0);
    }

    /// <summary>struct open_how.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct OpenHow
    {
        public ulong Flags;
        public ulong Mode;
        public ulong Resolve;
    }

    /// <summary>struct statx, the same on every architecture; what we need of it.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct StatusFields
    {
        [FieldOffset(16)]
        public uint Links;
        [FieldOffset(20)]
        public uint User;
        [FieldOffset(24)]
        public uint Group;
        [FieldOffset(28)]
        public ushort Mode;
        [FieldOffset(40)]
        public ulong Size;
        [FieldOffset(64)]
        public long Accessed;
        [FieldOffset(112)]
        public long Modified;
    }
}
