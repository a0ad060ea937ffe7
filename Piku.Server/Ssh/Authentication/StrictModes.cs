using System.Runtime.InteropServices;

namespace Piku.Server.Ssh.Authentication;

/// <summary>
/// What sshd calls StrictModes (sshd_config(5)): a file that decides who comes in must be its owner's alone to
/// change, and so must every folder above it. We say it of all folders up to the root, and let pass, as safe, those
/// that anybody may write to but where nobody can replace what is another's (the sticky bit, as on /tmp).
/// </summary>
internal static partial class StrictModes
{
    private const UnixFileMode Others = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    /// <summary>What is wrong, and how to mend it; null when nothing is, or there is no file.</summary>
    /// <exception cref="IOException">A folder on the way cannot be looked at.</exception>
    public static string? Objection(string path)
    {
        if (!File.Exists(path))
            return null;
        // Without symbolic links: whoever may change what they lead through decides what is read.
        var real = RealPath(path, buffer: 0) ?? throw new IOException($"{path}: {Marshal.GetLastPInvokeErrorMessage()}");
        if (ObjectionTo(real) is { } objection)
            return objection;
        for (var folder = Path.GetDirectoryName(real); folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (!File.GetUnixFileMode(folder).HasFlag(UnixFileMode.StickyBit) && ObjectionTo(folder) is { } above)
                return above;
        }
        return null;
    }

    private static string? ObjectionTo(string path) =>
        (File.GetUnixFileMode(path) & Others) != 0 ? $"others may write to {path}: run 'chmod go-w {path}'"
        : OwnerOf(path) is var owner && owner != 0 && owner != EffectiveUser() && !(IsInNamespace && owner == Unmapped) ? $"{path} belongs to another user: give it to the one that piku runs as, with chown"
        : null;

    private static uint OwnerOf(string path) =>
        Statx(CurrentFolder, path, flags: 0, OwnerWanted, out var status) == 0
            ? status.Owner
            : throw new IOException($"{path}: {Marshal.GetLastPInvokeErrorMessage()}");

    /// <summary>
    /// The root of a user namespace sees all who are not in it as one, the system's root among them. That no other of them is
    /// on the way must be known before the namespace is entered; then it stays so, because nobody but root gives folders away.
    /// </summary>
    private static readonly bool IsInNamespace = EffectiveUser() == 0 && !File.ReadAllText("/proc/self/uid_map").Contains($"{uint.MaxValue}", StringComparison.Ordinal);

    /// <summary>Their number inside (/proc/sys/kernel/overflowuid).</summary>
    private const uint Unmapped = 65534;

    private const int CurrentFolder = -100;
    private const uint OwnerWanted = 0x8;

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int folder, string path, int flags, uint mask, out FileStatus status);

    [LibraryImport("libc", EntryPoint = "realpath", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial string? RealPath(string path, nint buffer);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint EffectiveUser();

    /// <summary>struct statx of statx(2), which unlike stat(2) is the same on every architecture: 256 bytes, the owner at 20.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct FileStatus
    {
        [FieldOffset(20)]
        public uint Owner;
    }
}
