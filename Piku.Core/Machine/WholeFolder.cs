using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Piku.Core.Machine;

/// <summary>
/// Removes a folder with all that is in it, where <c>Directory.Delete</c> fails: names that are no UTF-8, folders that
/// their owner may not write to (Go's module cache), and trees deeper than a stack or a path can be.
/// </summary>
public sealed class WholeFolder : IDisposable
{
    private readonly string _path;
    private readonly SafeFileHandle _top;
    private int _moved;

    private WholeFolder(string path)
    {
        _path = path;
        using (var named = Libc.Open(path, Libc.OpenPath | Libc.OpenFolder | Libc.OpenWithoutFollowing))
            File.SetUnixFileMode($"/proc/self/fd/{named.DangerousGetHandle()}", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
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
        using (var whole = new WholeFolder(path))
            whole.Empty();
        Directory.Delete(path);
    }

    /// <summary>Removes all that is in it, for who may not remove it itself from where it is.</summary>
    /// <inheritdoc cref="Remove" path="/exception"/>
    public static void Clear(string path)
    {
        if (!Directory.Exists(path) || new DirectoryInfo(path).LinkTarget is not null)
            return;
        using var whole = new WholeFolder(path);
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
        // No link: the kernel has just said so.
        _ = Libc.ChangeMode(folder, name, 0b111_000_000, 0);
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
