using System.IO.Pipes;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Piku.Core.Machine;

/// <summary>
/// A named pipe (fifo(7)) opened for reading and writing at once, so that opening never waits for the other side
/// and its death is no error here. Reading and writing are asynchronous and hold no thread.
/// </summary>
public sealed class Fifo : IDisposable
{
    private readonly SafePipeHandle _pipe;
    private readonly AnonymousPipeClientStream _stream;

    private Fifo(string path, PipeDirection direction)
    {
        using var file = OpenBothEnds(path);
        _pipe = new(file.DangerousGetHandle(), ownsHandle: true);
        file.SetHandleAsInvalid();
        _stream = new(direction, _pipe);
    }

    public Stream Stream => _stream;

    public static Fifo CreateForReading(string path) => Create(path, PipeDirection.In);

    public static Fifo CreateForWriting(string path) => Create(path, PipeDirection.Out);

    /// <summary>Wakes whoever waits to open a pipe that an earlier process left: they read the end of the stream.</summary>
    public static void Release(string path) => OpenBothEnds(path).Dispose();

    /// <summary>Closes our end: the other side, having read what was written, reads the end of the stream.</summary>
    public void Dispose()
    {
        _stream.Dispose();
        _pipe.Dispose();
    }

    private static Fifo Create(string path, PipeDirection direction) =>
        Libc.MakeFifo(path, (uint)AtomicFile.Secret) == 0
            ? new(path, direction)
            : throw new IOException($"The pipe {path} could not be made: {Marshal.GetLastPInvokeErrorMessage()}", Marshal.GetLastPInvokeError());

    private static SafeFileHandle OpenBothEnds(string path) => Libc.Open(path, Libc.OpenReadWrite);
}
