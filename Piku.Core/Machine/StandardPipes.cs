using System.IO.Pipes;

namespace Piku.Core.Machine;

/// <summary>Our ends of a program's input, output and error, and until it has started its ends too.</summary>
internal sealed class StandardPipes(ProgramCall call) : IDisposable
{
    public AnonymousPipeServerStream? Input { get; } = call.Input is null ? null : Pipe(PipeDirection.Out);

    public AnonymousPipeServerStream? Output { get; } = call.Output is null ? null : Pipe(PipeDirection.In);

    public AnonymousPipeServerStream? Error { get; } = call.Error is null ? null : Pipe(PipeDirection.In);

    public Spawn.StandardHandles FarEnds =>
        new(Input?.ClientSafePipeHandle, Output?.ClientSafePipeHandle, (Error ?? Output)?.ClientSafePipeHandle);

    /// <summary>Leaves the program the only one to hold its ends, so that its end is seen here.</summary>
    public void CloseFarEnds()
    {
        Input?.DisposeLocalCopyOfClientHandle();
        Output?.DisposeLocalCopyOfClientHandle();
        Error?.DisposeLocalCopyOfClientHandle();
    }

    public void Dispose()
    {
        CloseFarEnds();
        Input?.Dispose();
        Output?.Dispose();
        Error?.Dispose();
    }

    /// <summary>Close-on-exec at both ends: no other program gets a copy.</summary>
    private static AnonymousPipeServerStream Pipe(PipeDirection direction) => new(direction, HandleInheritability.None);
}
