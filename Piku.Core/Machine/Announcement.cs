using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Piku.Core.Machine;

/// <summary>
/// A file in which a process says what it is at. It counts as long as that process holds it locked (flock(2)), so
/// that what a killed process has left says nothing. Who has it open still reads its last word when it is gone.
/// </summary>
public sealed class Announcement : IDisposable
{
    private readonly SafeFileHandle _file;
    private readonly string _path;

    private Announcement(SafeFileHandle file, string path) => (_file, _path) = (file, path);

    /// <summary>Makes the file.</summary>
    /// <param name="text">Without a null character.</param>
    [SuppressMessage("Reliability", "CA2000", Justification = "The announcement owns its file.")]
    public static Announcement Make(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var file = Libc.Open(path, Libc.OpenReadWrite | Libc.OpenCreate, AtomicFile.Secret);
        try
        {
            // Who looks at it this moment has a shared lock, and not for long.
            while (Libc.Flock(file, Libc.LockExclusive) != 0)
            {
                if (Marshal.GetLastPInvokeError() != Libc.Interrupted)
                    throw new IOException($"{path}: {Marshal.GetLastPInvokeErrorMessage()}");
            }
            Write(file, text);
            return new(file, path);
        }
        catch
        {
            file.Dispose();
            File.Delete(path);
            throw;
        }
    }

    /// <summary>Says something else instead.</summary>
    public void Say(string text) => Write(_file, text);

    /// <summary>Opens somebody's announcement; null when it is gone.</summary>
    [SuppressMessage("Reliability", "CA2000", Justification = "The listener owns its file.")]
    public static Listener? Listen(string path)
    {
        try
        {
            return new(Libc.Open(path, Libc.OpenReadWrite));
        }
        catch (IOException) when (!File.Exists(path))
        {
            return null;
        }
    }

    /// <summary>Removes what processes that were killed have left in a folder.</summary>
    public static void RemoveLeftovers(string folder)
    {
        foreach (var path in Directory.Exists(folder) ? Directory.GetFiles(folder) : [])
        {
            using var listener = Listen(path);
            if (listener is { IsLiving: false })
                File.Delete(path);
        }
    }

    public void Dispose()
    {
        if (_file.IsClosed)
            return;
        File.Delete(_path);
        _ = Libc.Flock(_file, Libc.Unlock);
        _file.Dispose();
    }

    /// <summary>In one piece, ended by a null character: what was longer before is not read.</summary>
    private static void Write(SafeFileHandle file, string text) => RandomAccess.Write(file, Encoding.UTF8.GetBytes(text + "\0"), 0);

    /// <summary>One who listens to an announcement.</summary>
    public sealed class Listener(SafeFileHandle file) : IDisposable
    {
        private const int MostBytes = 4096;

        /// <summary>False when the process has ended it, or has itself ended.</summary>
        public bool IsLiving
        {
            get
            {
                if (Libc.Flock(file, Libc.LockShared | Libc.LockWithoutWaiting) != 0)
                    return true;
                _ = Libc.Flock(file, Libc.Unlock);
                return false;
            }
        }

        /// <summary>What is said, or was said last; empty before the first word.</summary>
        public string Text()
        {
            Span<byte> bytes = stackalloc byte[MostBytes];
            var text = bytes[..RandomAccess.Read(file, bytes, 0)];
            return text.IndexOf((byte)0) is var end and >= 0 ? Encoding.UTF8.GetString(text[..end]) : "";
        }

        public void Dispose() => file.Dispose();
    }
}
