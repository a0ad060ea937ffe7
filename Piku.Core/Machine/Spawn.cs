using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Piku.Core.Model;

namespace Piku.Core.Machine;

/// <summary>
/// Starts a program by posix_spawn(3): with exactly the arguments, environment, folder and descriptors given, all
/// signals at their defaults, in a process group that exists before the program does.
/// </summary>
internal static partial class Spawn
{
    private const short SetGroup = 0x02;
    private const short SetDefaultSignals = 0x04;
    private const short SetSignalMask = 0x08;
    private const short SetSession = 0x80;

    /// <param name="group">The process group to join; null makes a new one, named after the new process.</param>
    /// <param name="blockSignals">Start with every signal blocked; SIGKILL and SIGSTOP can't be.</param>
    /// <param name="mark">What the program carries, and all that it starts.</param>
    /// <returns>The process id; the caller must wait for it (<see cref="Reaper"/>).</returns>
    /// <exception cref="IOException">The program could not be started.</exception>
    public static int Start(
        string file, IEnumerable<string> argv, IEnumerable<KeyValuePair<string, string>> environment, string folder,
        StandardHandles handles, int? group, bool blockSignals = false, ProcessMark? mark = null)
    {
        return Start(file, argv, environment, folder, blockSignals, mark, Connect, JoinGroup);

        void Connect(ref Opaque actions)
        {
            Spawn.Connect(ref actions, handles.Input, 0, Libc.OpenReadOnly);
            Spawn.Connect(ref actions, handles.Output, 1, Libc.OpenWriteOnly);
            Spawn.Connect(ref actions, handles.Error, 2, Libc.OpenWriteOnly);
        }

        short JoinGroup(ref Opaque attributes)
        {
            Check(SetProcessGroup(ref attributes, group ?? 0));
            return SetGroup;
        }
    }

    /// <summary>
    /// Starts a program as the leader of a new session, named after it, with a terminal as its input, output and error.
    /// A session's leader that opens a terminal gets it as the controlling one (tty_ioctl(4), TIOCSCTTY).
    /// </summary>
    /// <param name="terminal">The path of the terminal.</param>
    /// <inheritdoc cref="Start(string, IEnumerable{string}, IEnumerable{KeyValuePair{string, string}}, string, StandardHandles, int?, bool, ProcessMark?)"/>
    public static int StartSession(
        string file, IEnumerable<string> argv, IEnumerable<KeyValuePair<string, string>> environment, string folder, string terminal, ProcessMark? mark)
    {
        return Start(file, argv, environment, folder, blockSignals: false, mark, Connect, (ref _) => SetSession);

        void Connect(ref Opaque actions)
        {
            Check(AddOpen(ref actions, 0, terminal, Libc.OpenReadWrite, 0));
            Check(AddDuplicate(ref actions, 0, 1));
            Check(AddDuplicate(ref actions, 0, 2));
        }
    }

    private static int Start(
        string file, IEnumerable<string> argv, IEnumerable<KeyValuePair<string, string>> environment, string folder,
        bool blockSignals, ProcessMark? mark, Prepare connect, PrepareFlags place)
    {
        var actions = default(Opaque);
        var attributes = default(Opaque);
        Check(InitActions(ref actions));
        try
        {
            Check(InitAttributes(ref attributes));
            try
            {
                connect(ref actions);
                Check(ChangeFolder(ref actions, folder));
                SetSignals(ref attributes, blockSignals);
                Check(SetFlags(ref attributes, (short)(place(ref attributes) | SetDefaultSignals | SetSignalMask)));
                string?[] environ = [.. environment.Select(pair => $"{pair.Key}={pair.Value}"), null];
                var unmarked = Mark(mark);
                var error = PosixSpawn(out var pid, file, ref actions, ref attributes, [.. argv, null], environ);
                if (unmarked is { } before)
                    _ = Libc.SetLimit(Libc.LimitOfLocks, before);
                Check(error, file);
                return pid;
            }
            finally
            {
                _ = DestroyAttributes(ref attributes);
            }
        }
        finally
        {
            _ = DestroyActions(ref actions);
        }
    }

    /// <summary>
    /// posix_spawn(3) can give no limits, but a program inherits ours. Nothing of ours minds it, and no other program is
    /// started meanwhile, because <see cref="Reaper"/> starts one after the other.
    /// </summary>
    /// <returns>What the limit was; null when it is as it was.</returns>
    private static Libc.ResourceLimit? Mark(ProcessMark? mark) =>
        mark is { Number: var number }
        && Libc.GetLimit(Libc.LimitOfLocks, out var limit) == 0
        && Libc.SetLimit(Libc.LimitOfLocks, limit with { Soft = (nuint)number }) == 0
            ? limit
            : null;

    private static void Connect(ref Opaque actions, SafeHandle? handle, int descriptor, int openFlags) =>
        Check(handle is null
            ? AddOpen(ref actions, descriptor, "/dev/null", openFlags, 0)
            : AddDuplicate(ref actions, (int)handle.DangerousGetHandle(), descriptor));

    private static void SetSignals(ref Opaque attributes, bool block)
    {
        var all = default(SignalSet);
        var none = default(SignalSet);
        Check(FillSet(ref all));
        Check(SetDefaults(ref attributes, ref all));
        Check(SetMask(ref attributes, ref block ? ref all : ref none));
    }

    private static void Check(int error, string? file = null)
    {
        if (error != 0)
            throw new IOException($"{file ?? "posix_spawn"}: {Marshal.GetPInvokeErrorMessage(error)}", error);
    }

    private delegate void Prepare(ref Opaque actions);

    private delegate short PrepareFlags(ref Opaque attributes);

    /// <summary>What becomes descriptors 0, 1 and 2; null is /dev/null.</summary>
    public readonly record struct StandardHandles(SafePipeHandle? Input, SafePipeHandle? Output, SafePipeHandle? Error);

    /// <summary>posix_spawnattr_t (336 bytes in glibc) or posix_spawn_file_actions_t (80): only ever passed on.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 512)]
    private struct Opaque;

    /// <summary>sigset_t: 1024 bits in glibc and musl. All zero is the empty set.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 128)]
    private struct SignalSet;

    [LibraryImport("libc", EntryPoint = "posix_spawn", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int PosixSpawn(
        out int pid, string path, ref Opaque actions, ref Opaque attributes, string?[] argv, string?[] environ);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_init")]
    private static partial int InitActions(ref Opaque actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_destroy")]
    private static partial int DestroyActions(ref Opaque actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_adddup2")]
    private static partial int AddDuplicate(ref Opaque actions, int from, int to);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_addopen", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int AddOpen(ref Opaque actions, int descriptor, string path, int flags, uint mode);

    /// <summary>glibc 2.29, musl 1.1.24; in POSIX since 2024 without the suffix.</summary>
    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_addchdir_np", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeFolder(ref Opaque actions, string path);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_init")]
    private static partial int InitAttributes(ref Opaque attributes);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_destroy")]
    private static partial int DestroyAttributes(ref Opaque attributes);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setflags")]
    private static partial int SetFlags(ref Opaque attributes, short flags);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setpgroup")]
    private static partial int SetProcessGroup(ref Opaque attributes, int group);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigdefault")]
    private static partial int SetDefaults(ref Opaque attributes, ref SignalSet signals);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigmask")]
    private static partial int SetMask(ref Opaque attributes, ref SignalSet signals);

    [LibraryImport("libc", EntryPoint = "sigfillset")]
    private static partial int FillSet(ref SignalSet signals);
}
