using System.Runtime.InteropServices;

namespace Piku.Core.Machine;

/// <summary>
/// Waits for children without a thread for each: SIGCHLD says that some child ended, waitpid(2) which. One for
/// the process, because so is the signal. It waits only for ids it was given, never for children of others.
/// </summary>
internal static class Reaper
{
    private static readonly Lock Gate = new();
    private static readonly Dictionary<int, TaskCompletionSource<ExitStatus>> Waiting = [];
    private static PosixSignalRegistration? _childEnded;

    /// <summary>Starts a child and returns its id and its end. Once the end is known the id may belong to another process.</summary>
    public static (int ProcessId, Task<ExitStatus> Exit) Start(Func<int> spawn)
    {
        lock (Gate)
        {
            _childEnded ??= PosixSignalRegistration.Create(PosixSignal.SIGCHLD, _ => Collect());
            var id = spawn();
            var exit = new TaskCompletionSource<ExitStatus>(TaskCreationOptions.RunContinuationsAsynchronously);
            Waiting.Add(id, exit);
            return (id, exit.Task);
        }
    }

    /// <summary>
    /// Signals a child, but only while its id is surely its own: ids are freed by <see cref="Collect"/> alone.
    /// </summary>
    public static bool Send(int processId, Func<int, int, bool> send, int signal)
    {
        lock (Gate)
            return Waiting.ContainsKey(processId) && send(processId, signal);
    }

    private static void Collect()
    {
        lock (Gate)
        {
            foreach (var (id, exit) in Waiting.ToArray())
            {
                if (Libc.WaitPid(id, out var status, Libc.WaitWithoutHanging) != id)
                    continue;
                Waiting.Remove(id);
                exit.SetResult(ExitStatus.FromWait(status));
            }
        }
    }
}
