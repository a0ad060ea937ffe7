using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Piku.Core.Machine;

/// <summary>
/// An exclusive lock between processes, and between tasks of one process: flock(2) on a file that stays where
/// it is. The kernel releases it when its holder ends, however it ends. While it is held the file says by whom.
/// </summary>
/// <remarks>
/// flock(2) itself and not <c>FileShare.None</c>, because .NET takes a shared lock for every other reader, and
/// nobody could read who the holder is.
/// </remarks>
public sealed class FileLock : IDisposable
{
    /// <summary>How late a waiter may notice that the lock is free.</summary>
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(25);

    private readonly SafeFileHandle _file;
    private readonly string _path;

    private FileLock(SafeFileHandle file, string path) => (_file, _path) = (file, path);

    /// <summary>Takes the lock if it is free; null when somebody holds it. Its folder is made if it is missing.</summary>
    /// <param name="purpose">What the lock is held for, as a waiter will tell it: "push by alice".</param>
    [SuppressMessage("Reliability", "CA2000", Justification = "The lock owns its file.")]
    public static FileLock? TryAcquire(string path, string purpose, TimeProvider clock)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var file = Libc.Open(path, Libc.OpenReadWrite | Libc.OpenCreate, AtomicFile.Secret);
        try
        {
            if (!TryLock(file) || !IsStillThere(file))
            {
                file.Dispose();
                return null;
            }
            Say(file, new LockHolder(Environment.ProcessId, clock.GetUtcNow(), purpose));
            return new FileLock(file, path);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Waits for the lock, as long as the token allows.</summary>
    /// <param name="waiting">Told once, and only if there is a wait, who holds the lock.</param>
    public static async Task<FileLock> AcquireAsync(
        string path, string purpose, TimeProvider clock, Func<LockHolder, Task>? waiting, CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var acquired = TryAcquire(path, purpose, clock);
            if (acquired is not null)
                return acquired;
            if (waiting is not null && Holder(path) is { } holder)
            {
                await waiting(holder);
                waiting = null;
            }
            await Task.Delay(Poll, clock, cancellationToken);
        }
    }

    /// <summary>
    /// Who holds the lock, or null. A moment's view, and read without touching the lock: looking must never make
    /// somebody else's <see cref="TryAcquire"/> fail.
    /// </summary>
    public static LockHolder? Holder(string path)
    {
        if (!File.Exists(path))
            return null;
        using var file = Libc.Open(path, Libc.OpenReadOnly);
        Span<byte> line = stackalloc byte[1024];
        var holder = LockHolder.Parse(Encoding.UTF8.GetString(line[..RandomAccess.Read(file, line, 0)]));
        return holder is not null && Signals.IsAlive(holder.ProcessId) ? holder : null;
    }

    /// <summary>Removes the file, when what it guards is no more. Who waits for it takes a new one.</summary>
    public void Delete() => File.Delete(_path);

    /// <summary>
    /// Unlocks before closing: a program that is being started at this moment has a copy of the descriptor until
    /// its exec, and with it would keep the lock.
    /// </summary>
    public void Dispose()
    {
        if (_file.IsClosed)
            return;
        RandomAccess.SetLength(_file, 0);
        _ = Libc.Flock(_file, Libc.Unlock);
        _file.Dispose();
    }

    /// <summary>A courtesy to those who wait. On a full disk it is left out: whoever frees some needs the lock too.</summary>
    private static void Say(SafeFileHandle file, LockHolder holder)
    {
        RandomAccess.SetLength(file, 0);
        try
        {
            RandomAccess.Write(file, Encoding.UTF8.GetBytes(holder.Format()), 0);
        }
        catch (IOException full) when (AtomicFile.IsFull(full))
        {
            RandomAccess.SetLength(file, 0);
        }
    }

    /// <summary>False when the last holder has removed the file: then nobody else would see our lock.</summary>
    private static bool IsStillThere(SafeFileHandle file) =>
        File.ResolveLinkTarget($"/proc/self/fd/{file.DangerousGetHandle()}", returnFinalTarget: false)?.FullName.EndsWith(" (deleted)", StringComparison.Ordinal) is false;

    private static bool TryLock(SafeFileHandle file)
    {
        if (Libc.Flock(file, Libc.LockExclusive | Libc.LockWithoutWaiting) == 0)
            return true;
        if (Marshal.GetLastPInvokeError() is Libc.WouldBlock or Libc.Interrupted)
            return false;
        throw new IOException($"The lock could not be taken: {Marshal.GetLastPInvokeErrorMessage()}");
    }
}
