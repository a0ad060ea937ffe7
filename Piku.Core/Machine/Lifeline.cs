using System.IO.Pipes;

namespace Piku.Core.Machine;

/// <summary>
/// A process group that cannot outlive this process. Its first member is a shell that waits for the end of a
/// pipe whose other end only we hold: when we close it, or die in whatever way, it kills its whole group. It is
/// there before any program joins, and its id keeps the group's number from being given to others.
/// See docs/decisions: the lifeline.
/// </summary>
internal sealed class Lifeline : IAsyncDisposable
{
    private const string Script = """read -r _; kill -"$1" 0; sleep "$2"; kill -KILL 0""";

    private readonly AnonymousPipeServerStream _pipe = new(PipeDirection.Out, HandleInheritability.None);
    private readonly Task _end;

    /// <param name="lastSignal">What the group gets when we are dead.</param>
    /// <param name="grace">How long until SIGKILL follows it.</param>
    public Lifeline(int lastSignal, TimeSpan grace)
    {
        string[] argv = ["sh", "-c", Script, "sh", $"{lastSignal}", $"{(int)grace.TotalSeconds}"];
        try
        {
            (Group, _end) = Reaper.Start(() => Spawn.Start(
                "/bin/sh", argv, [KeyValuePair.Create("PATH", "/usr/bin:/bin")], "/", new(_pipe.ClientSafePipeHandle, null, null),
                group: null, blockSignals: true));
            _pipe.DisposeLocalCopyOfClientHandle();
        }
        catch
        {
            _pipe.Dispose();
            throw;
        }
    }

    /// <summary>The group's number.</summary>
    public int Group { get; }

    /// <summary>Signals every program of the group. The shell has all signals blocked and stays.</summary>
    public bool Send(int signal) => Reaper.Send(Group, Signals.SendToGroup, signal);

    /// <summary>Kills what is left of the group.</summary>
    public async ValueTask DisposeAsync()
    {
        Send(Signals.Kill);
        await _pipe.DisposeAsync();
        await _end;
    }
}
