using System.Diagnostics.CodeAnalysis;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Piku.Core.Model;

namespace Piku.Core.Machine;

/// <summary>
/// Files that are always whole: written under a temporary name in the same folder, flushed to the disk, then
/// renamed. A crash at any moment leaves the old content or the new. Temporary names are hidden and end in
/// <see cref="TemporarySuffix"/>, so that no include pattern and no emperor ever reads one.
/// </summary>
public static class AtomicFile
{
    public const string TemporarySuffix = ".tmp";

    /// <summary>Bytes of a file that is read whole: lists of dependencies, and git's of all files.</summary>
    private const int Longest = 64 << 20;

    /// <summary>The same of a text: settings, site and worker files are a thousand times shorter, and an app may have put there what it likes.</summary>
    private const int LongestText = 4 << 20;

    /// <summary>0600: for the owner's eyes only.</summary>
    public const UnixFileMode Secret = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>0644: for everyone to read.</summary>
    public const UnixFileMode Readable = Secret | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>0755: for everyone to read and run.</summary>
    public const UnixFileMode Executable =
        Readable | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    /// <summary>Replaces a file's content, or makes the file; the mode is exact, whatever the umask.</summary>
    /// <param name="modified">The modification time it is to have from the first moment on; null is now.</param>
    /// <param name="reader">Whose group it is to have; null for ours.</param>
    /// <exception cref="UserError">The disk is full; the file is as it was.</exception>
    public static void Write(string path, ReadOnlySpan<byte> content, UnixFileMode mode, DateTimeOffset? modified = null, Owner? reader = null)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        var temporary = Path.Combine(folder, $".{Path.GetFileName(path)}.{Path.GetRandomFileName()}{TemporarySuffix}");
        try
        {
            WriteNew(temporary, content, mode, modified, reader);
            File.Move(temporary, path, overwrite: true);
        }
        catch (IOException full) when (IsFull(full))
        {
            File.Delete(temporary);
            throw new UserError($"There is no space left to write {path}: free some on that disk and try again.", full);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
        FlushFolder(folder);
    }

    /// <summary>True for the failure of whoever wrote to a disk without space left.</summary>
    public static bool IsFull(Exception failure) => failure is IOException { HResult: Libc.NoSpace or Libc.QuotaExceeded };

    /// <inheritdoc cref="Write(string, ReadOnlySpan{byte}, UnixFileMode, DateTimeOffset?, Owner?)"/>
    public static void Write(string path, string content, UnixFileMode mode, DateTimeOffset? modified = null, Owner? reader = null) =>
        Write(path, Encoding.UTF8.GetBytes(content), mode, modified, reader);

    /// <summary>The text of a file (UTF-8), or null when there is none.</summary>
    /// <inheritdoc cref="ReadBytesIfExists" path="/exception"/>
    public static string? ReadIfExists(string path) => ReadIfExists(path, LongestText) is { } bytes ? Text(bytes) : null;

    /// <summary>The content of a file, or null when there is none.</summary>
    /// <exception cref="UserError">It is no file, but a pipe, say, on which one would wait for ever; or longer than any that we read whole; or must not be read.</exception>
    public static byte[]? ReadBytesIfExists(string path) => ReadIfExists(path, Longest);

    /// <summary>The last bytes of a file as text, in which the first letter may be cut; null when there is none.</summary>
    /// <inheritdoc cref="ReadBytesIfExists" path="/exception"/>
    public static string? ReadEndIfExists(string path, int most)
    {
        using var file = OpenIfExists(path);
        if (file is null)
            return null;
        var end = new byte[most];
        var count = RandomAccess.Read(file, end, Math.Max(0, RandomAccess.GetLength(file) - most));
        return Encoding.UTF8.GetString(end, 0, count);
    }

    private static byte[]? ReadIfExists(string path, int longest)
    {
        using var file = OpenIfExists(path);
        if (file is null)
            return null;
        using var content = new MemoryStream();
        var block = new byte[16 * 1024];
        // Not by its length, which is 0 in /proc.
        for (int count; (count = RandomAccess.Read(file, block, content.Length)) > 0;)
        {
            content.Write(block.AsSpan(0, count));
            if (content.Length > longest)
                throw new UserError($"{path} is longer than {longest >> 20} MiB.");
        }
        return content.ToArray();
    }

    /// <summary>Copies a file with its time, in place of whatever has the other name, and without waiting on a pipe at either end; false when there is none.</summary>
    /// <inheritdoc cref="ReadBytesIfExists" path="/exception"/>
    public static bool Copy(string from, string to, UnixFileMode mode)
    {
        var modified = File.GetLastWriteTimeUtc(from);
        if (ReadBytesIfExists(from) is not { } content)
            return false;
        Write(to, content, mode, modified);
        return true;
    }

    /// <summary>Opens a file to be read, without waiting for whoever else may have it open; null when there is none.</summary>
    /// <inheritdoc cref="ReadBytesIfExists" path="/exception"/>
    [SuppressMessage("Reliability", "CA2000", Justification = "The caller owns the file.")]
    internal static SafeFileHandle? OpenIfExists(string path)
    {
        SafeFileHandle file;
        try
        {
            file = Libc.Open(path, Libc.OpenReadOnly | Libc.OpenWithoutWaiting | Libc.OpenWithoutTerminal);
        }
        catch (IOException absent) when (absent.HResult is Libc.NoEntry or Libc.NoFolder)
        {
            return null;
        }
        catch (IOException denied) when (denied.HResult is Libc.AccessDenied)
        {
            throw new UserError($"{path} cannot be read: permission denied.", denied);
        }
        catch (IOException odd) when (odd.HResult is Libc.LinkLoop or Libc.NoDevice)
        {
            // A link to itself, or a socket.
            throw new UserError($"{path} is not a file.", odd);
        }
        if (Libc.Status(file).IsRegular)
            return file;
        file.Dispose();
        throw new UserError($"{path} is not a file.");
    }

    /// <summary>As <c>File.ReadAllText</c> has it: a mark at the beginning is none of the text.</summary>
    private static string Text(byte[] bytes)
    {
        using var reader = new StreamReader(new MemoryStream(bytes), Encoding.UTF8);
        return reader.ReadToEnd();
    }

    /// <summary>Removes a file so that it stays removed after a crash; false when there was none.</summary>
    public static bool Delete(string path)
    {
        if (!File.Exists(path))
            return false;
        File.Delete(path);
        FlushFolder(Path.GetDirectoryName(Path.GetFullPath(path))!);
        return true;
    }

    /// <summary>Removes what writers that were killed have left in a folder; call it when nobody writes there.</summary>
    /// <param name="names">What the names of the files begin with that are looked for; empty for all.</param>
    public static void RemoveLeftovers(string folder, string names = "")
    {
        if (!Directory.Exists(folder))
            return;
        foreach (var leftover in Directory.EnumerateFiles(folder, $".{names}*{TemporarySuffix}"))
            File.Delete(leftover);
    }

    private static void WriteNew(string path, ReadOnlySpan<byte> content, UnixFileMode mode, DateTimeOffset? modified, Owner? reader)
    {
        using var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = mode,
            BufferSize = 0,
        });
        if (reader is { } other)
            new Owner(Owner.Self.User, other.Group).Take(path);
        File.SetUnixFileMode(file.SafeFileHandle, mode);
        file.Write(content);
        if (modified is { } time)
            File.SetLastWriteTimeUtc(file.SafeFileHandle, time.UtcDateTime);
        file.Flush(flushToDisk: true);
    }

    /// <summary>A rename is on the disk only when its folder is: fsync(2), "Calling fsync() does not necessarily…".</summary>
    private static void FlushFolder(string folder)
    {
        using var handle = Libc.Open(folder, Libc.OpenReadOnly);
        RandomAccess.FlushToDisk(handle);
    }
}
