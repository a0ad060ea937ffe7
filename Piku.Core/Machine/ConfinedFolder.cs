using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Piku.Core.Machine;

/// <summary>
/// A folder out of which no path leads: not by <c>..</c>, not by an absolute path, not by a symbolic link, also when
/// someone changes links and folders meanwhile. The kernel keeps it so (openat2(2), RESOLVE_BENEATH; Linux 5.6): a
/// path is walked once and its end is held, never checked first and walked again. Links that stay inside work.
/// </summary>
/// <remarks>Paths are relative, with <c>/</c>; the empty path is the folder itself. Failures are <see cref="IOException"/>
/// with the error number as <c>HResult</c>.</remarks>
public sealed class ConfinedFolder : IDisposable
{
    private const int MaxLinkLength = 4096;

    private readonly SafeFileHandle _folder;

    /// <param name="path">Must be a folder and no link to one.</param>
    public ConfinedFolder(string path) =>
        _folder = Libc.Open(path, Libc.OpenPath | Libc.OpenFolder | Libc.OpenWithoutFollowing);

    /// <summary>Opens a regular file; nothing else, so that no pipe or device makes us wait.</summary>
    /// <param name="access">With write access alone or both, the file must be ours to write.</param>
    /// <param name="mode"><see cref="FileMode.Open"/> and so on, as in <see cref="FileStream"/>; append writes at the end always.</param>
    /// <param name="permissions">Of a file that is made.</param>
    public SafeFileHandle OpenFile(string path, FileAccess access, FileMode mode, UnixFileMode permissions)
    {
        var flags = access switch
        {
            FileAccess.Read => Libc.OpenReadOnly,
            FileAccess.Write => Libc.OpenWriteOnly,
            _ => Libc.OpenReadWrite,
        } | mode switch
        {
            FileMode.CreateNew => Libc.OpenCreate | Libc.OpenExclusively,
            FileMode.Create => Libc.OpenCreate | Libc.OpenTruncate,
            FileMode.OpenOrCreate => Libc.OpenCreate,
            FileMode.Truncate => Libc.OpenTruncate,
            FileMode.Append => Libc.OpenCreate | Libc.OpenAppend,
            _ => 0,
        };
        var file = Open(path, flags | Libc.OpenWithoutWaiting, permissions);
        if (Libc.Status(file).IsRegular)
            return file;
        file.Dispose();
        throw new IOException("it is not a file", Libc.InvalidArgument);
    }

    /// <summary>Opens a folder to be listed.</summary>
    public FolderListing OpenFolder(string path) => new(Open(path, Libc.OpenReadOnly | Libc.OpenFolder));

    public static FileStatus Status(SafeFileHandle file) => Libc.Status(file);

    /// <param name="follow">Whether a link at the end of the path is followed; if so, it must stay inside.</param>
    public FileStatus Status(string path, bool follow)
    {
        using var file = Open(path, Libc.OpenPath | (follow ? 0 : Libc.OpenWithoutFollowing));
        return Libc.Status(file);
    }

    /// <summary>Sets the permissions; set-user-id and its like are not among them.</summary>
    public void SetPermissions(string path, UnixFileMode permissions)
    {
        using var file = Open(path, Libc.OpenPath);
        File.SetUnixFileMode(PathOf(file), permissions & Permissions.All);
    }

    /// <summary>Sets the times, to the second. <c>File.SetLastWriteTimeUtc</c> would set those of the link in /proc.</summary>
    public void SetTimes(string path, DateTime accessed, DateTime modified)
    {
        using var file = Open(path, Libc.OpenPath);
        Check(Libc.SetTimes(file, PathOf(file), [Libc.FileTime.Of(accessed), Libc.FileTime.Of(modified)], flags: 0));
    }

    public void CreateFolder(string path, UnixFileMode permissions) =>
        At(path, (folder, name) => Libc.CreateFolder(folder, name, (uint)(permissions & Permissions.All)));

    /// <summary>Removes a file or a link, never what the link points to.</summary>
    public void DeleteFile(string path) => At(path, (folder, name) => Libc.Delete(folder, name, 0));

    /// <summary>Removes an empty folder.</summary>
    public void DeleteFolder(string path) => At(path, (folder, name) => Libc.Delete(folder, name, Libc.DeleteFolderFlag));

    /// <summary>Renames, atomically.</summary>
    /// <param name="target">The folder that the new path is in; may be this one.</param>
    /// <param name="replace">Whether what has the new name already goes.</param>
    public void Rename(string path, ConfinedFolder target, string newPath, bool replace) =>
        At(path, (from, name) => target.At(newPath, (to, newName) =>
            Libc.Rename(from, name, to, newName, replace ? 0 : Libc.RenameWithoutReplacing)));

    /// <summary>Moves what is in one folder to the same place in another, where nothing is; the folder that it goes into is there.</summary>
    [SuppressMessage("Reliability", "CA2000", Justification = "Both are disposed.")]
    public static void Move(string from, string to, string path)
    {
        using var source = new ConfinedFolder(from);
        using var target = new ConfinedFolder(to);
        source.Rename(path, target, path, replace: false);
    }

    /// <summary>Makes a symbolic link. Where it leads is not checked here: whoever follows it by this class stays inside.</summary>
    public void CreateLink(string path, string target) => At(path, (folder, name) => Libc.CreateLink(target, folder, name));

    public string ReadLink(string path)
    {
        using var link = Open(path, Libc.OpenPath | Libc.OpenWithoutFollowing);
        var target = new byte[MaxLinkLength];
        var length = Check((int)Libc.ReadLink(link, "", target, MaxLinkLength));
        return Encoding.UTF8.GetString(target, 0, length);
    }

    public void Dispose() => _folder.Dispose();

    private int At(string path, Func<SafeFileHandle, string, int> action)
    {
        var slash = path.LastIndexOf('/');
        var name = path[(slash + 1)..];
        if (name is "" or "." or "..")
            throw new IOException("it cannot be changed", Libc.NotPermitted);
        using var folder = Open(slash < 0 ? "" : path[..slash], Libc.OpenPath | Libc.OpenFolder);
        return Check(action(folder, name));
    }

    private SafeFileHandle Open(string path, int flags, UnixFileMode permissions = 0) =>
        Libc.OpenBeneath(_folder, path.Length == 0 ? "." : path, flags, permissions & Permissions.All);

    /// <summary>Another name of what is open, for calls that take only names; no link or rename can change what it means.</summary>
    private static string PathOf(SafeFileHandle file) => $"/proc/self/fd/{(int)file.DangerousGetHandle()}";

    private static int Check(int result) => result >= 0
        ? result
        : throw new IOException(Marshal.GetLastPInvokeErrorMessage(), Marshal.GetLastPInvokeError());

    private static class Permissions
    {
        /// <summary>0777.</summary>
        public const UnixFileMode All = (UnixFileMode)0x1FF;
    }
}
