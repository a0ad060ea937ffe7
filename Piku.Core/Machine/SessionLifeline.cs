using System.Diagnostics;
using System.IO.Pipes;
using System.Text;

namespace Piku.Core.Machine;

/// <summary>
/// Keeps the programs of a terminal from outliving this process, where closing the terminal is not enough because
/// they ignore SIGHUP. Job control gives each job a process group of its own, so <see cref="Lifeline"/>'s one group
/// cannot hold them; what they share is the session, and a session is found by looking through <c>/proc</c>.
/// </summary>
internal sealed class SessionLifeline : IAsyncDisposable
{
    /// <summary>
    /// Learns the session, waits for our end, lets SIGHUP do its work, and kills what is left; more than once, because a
    /// program may start another just then.
    /// </summary>
    private const string Script = """
        read -r session || exit
        read -r _
        sleep 1
        for round in 1 2 3; do
            for stat in /proc/[0-9]*/stat; do
                read -r line <"$stat" || continue
                id=${stat#/proc/}
                set -- ${line##*) }
                [ "$4" != "$session" ] || kill -KILL "${id%/stat}"
            done
        done
        """;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly AnonymousPipeServerStream _pipe = new(PipeDirection.Out, HandleInheritability.None);
    private readonly int _guard;
    private readonly Task _end;
    private int _session;

    public SessionLifeline()
    {
        try
        {
            (_guard, _end) = Reaper.Start(() => Spawn.Start(
                "/bin/sh", ["sh", "-c", Script], [KeyValuePair.Create("PATH", "/usr/bin:/bin")], "/",
                new(_pipe.ClientSafePipeHandle, null, null), group: null, blockSignals: true));
            _pipe.DisposeLocalCopyOfClientHandle();
        }
        catch
        {
            _pipe.Dispose();
            throw;
        }
    }

    /// <summary>Names the session: the id of its leader.</summary>
    public void Hold(int session)
    {
        _session = session;
        _pipe.Write(Encoding.ASCII.GetBytes($"{session}\n"));
    }

    /// <summary>Waits until the session has no program any more.</summary>
    /// <returns>False when it still has after that long.</returns>
    public async Task<bool> EndsWithinAsync(TimeSpan time)
    {
        for (var watch = Stopwatch.StartNew(); Members().Count > 0; await Task.Delay(Pause))
            if (watch.Elapsed >= time)
                return false;
        return true;
    }

    /// <summary>
    /// Kills every program of the session, those that are started meanwhile too. As long as it has one, its number is
    /// nobody else's; and until the leader's end has been collected, there is at least that.
    /// </summary>
    public async Task KillAsync(TimeSpan limit)
    {
        for (var watch = Stopwatch.StartNew(); Members() is { Count: > 0 } members && watch.Elapsed < limit; await Task.Delay(Pause))
            foreach (var member in members)
                Signals.Send(member.Id, Signals.Kill);
    }

    public async ValueTask DisposeAsync()
    {
        Reaper.Send(_guard, Signals.Send, Signals.Kill);
        await _pipe.DisposeAsync();
        await _end;
    }

    private List<ProcessInfo> Members() => _session == 0 ? [] :
        [.. ProcessTable.Read().Where(process => process.Session == _session && !process.IsZombie)];
}
