using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Piku.Core.Machine;

/// <summary>
/// Removes a folder with all that is in it, where <c>Directory.Delete</c> fails: names that are no UTF-8, folders that
/// their owner may not write to (Go's module cache), and trees deeper than a stack or a path can be.
/// </summary>
public sealed class WholeFolder : IDisposable
{
    /// <summary>How files of a folder are listed that may be another's: hidden ones too, and no links, of which a few can lead round for ever.</summary>
    public static readonly EnumerationOptions Within = new() { AttributesToSkip = FileAttributes.ReparsePoint, MatchType = MatchType.Win32 };

    /// <summary>The same, with all folders in it.</summary>
    public static readonly EnumerationOptions Below = new() { AttributesToSkip = FileAttributes.ReparsePoint, MatchType = MatchType.Win32, RecurseSubdirectories = true };

    private readonly string _path;
    private readonly SafeFileHandle _top;
    private int _moved;

    /// <param name="path">The folder.</param>
    /// <param name="isGoing">False for a folder that stays, and whose it is.</param>
    private WholeFolder(string path, bool isGoing)
    {
        _path = path;
        using (var named = Libc.Open(path, Libc.OpenPath | Libc.OpenFolder | Libc.OpenWithoutFollowing))
            Take(named, isGoing);
        _top = Libc.Open(path, Libc.OpenReadOnly | Libc.OpenFolder | Libc.OpenWithoutFollowing);
    }

    /// <summary>Removes it if it is there; of a link to a folder, the link. May be repeated after an interruption.</summary>
    /// <exception cref="IOException">Something in it cannot be removed: it is another user's, or a file system is mounted there.</exception>
    public static void Remove(string path)
    {
        if (!Directory.Exists(path))
            return;
        if (new DirectoryInfo(path).LinkTarget is not null)
        {
            File.Delete(path);
            return;
        }
        using (var whole = new WholeFolder(path, isGoing: true))
            whole.Empty();
        Directory.Delete(path);
    }

    /// <summary>Removes all that is in it, for who may not remove it itself from where it is.</summary>
    /// <inheritdoc cref="Remove" path="/exception"/>
    public static void Clear(string path)
    {
        if (!Directory.Exists(path) || new DirectoryInfo(path).LinkTarget is not null)
            return;
        using var whole = new WholeFolder(path, isGoing: false);
        whole.Empty();
    }

    public void Dispose() => _top.Dispose();

    /// <summary>Removing while reading may make the kernel pass over some, which the next round finds.</summary>
    private void Empty()
    {
        while (ForEach(_top, RemoveFrom))
        {
        }
    }

    private void RemoveFrom(SafeFileHandle folder, byte[] name)
    {
        if (Libc.Delete(folder, name, 0) == 0)
            return;
        if (Marshal.GetLastPInvokeError() is not Libc.IsAFolder)
            throw Failed(name);
        // Whoever owns the folder may put a link there meanwhile, which must not be followed.
        using (var named = Libc.OpenIn(folder, name, Libc.OpenPath | Libc.OpenFolder | Libc.OpenWithoutFollowing))
            Take(named, isGoing: true);
        if (folder != _top)
        {
            // What is deep is brought up, so that no more than two folders are ever open.
            if (Libc.Rename(folder, name, _top, FreeName(), 0) != 0)
                throw Failed(name);
            return;
        }
        using (var inner = Libc.OpenIn(folder, name, Libc.OpenReadOnly | Libc.OpenFolder | Libc.OpenWithoutFollowing))
        {
            while (ForEach(inner, RemoveFrom))
            {
            }
        }
        if (Libc.Delete(folder, name, Libc.DeleteFolderFlag) != 0)
            throw Failed(name);
    }

    /// <summary>Another owner, who may be at work in it, adds nothing from here on; where we may not take it, it is ours or stays theirs.</summary>
    private static void Take(SafeFileHandle folder, bool isGoing)
    {
        if (isGoing)
            _ = Libc.ChangeOwnerOf(folder, "", Owner.Self.User, Owner.Self.Group, Libc.EmptyPath);
        File.SetUnixFileMode($"/proc/self/fd/{folder.DangerousGetHandle()}", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>False when there was nothing.</summary>
    private static bool ForEach(SafeFileHandle folder, Action<SafeFileHandle, byte[]> act)
    {
        using var names = new FolderListing(Libc.OpenIn(folder, ".\0"u8.ToArray(), Libc.OpenReadOnly | Libc.OpenFolder));
        var any = false;
        for (; names.NextBytes() is { } name; any = true)
            act(folder, name);
        return any;
    }

    private byte[] FreeName()
    {
        string name;
        do
            name = $".removing-{_moved++}";
        while (Path.Exists(Path.Combine(_path, name)));
        return System.Text.Encoding.UTF8.GetBytes(name + "\0");
    }

    private IOException Failed(byte[] name) => new(
        $"'{System.Text.Encoding.UTF8.GetString(name).TrimEnd('\0')}' in {_path} cannot be removed: {Marshal.GetLastPInvokeErrorMessage()}", Marshal.GetLastPInvokeError());
}
