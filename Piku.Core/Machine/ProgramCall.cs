using Piku.Core.Model;

namespace Piku.Core.Machine;

/// <summary>
/// Takes what a program writes, piece by piece; the bytes are valid only during the call. The program waits
/// while the sink does. A sink that throws ends the program. <c>Stream.WriteAsync</c> is one.
/// </summary>
public delegate ValueTask OutputSink(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken);

/// <summary>A program to run: all that it gets, nothing inherited. See <see cref="ChildProcess"/>.</summary>
public sealed record ProgramCall
{
    /// <summary>Of util-linux, which every Debian has.</summary>
    private const string SetPrivileges = "/usr/bin/setpriv";

    /// <summary>A path, or a name to be found on the PATH of <see cref="Environment"/>.</summary>
    public required string Program { get; init; }

    /// <summary>The arguments after the program's own name, each exactly as given: no shell reads them.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>The folder to run in; it must exist.</summary>
    public required string Folder { get; init; }

    /// <summary>The whole environment.</summary>
    public required EnvMap Environment { get; init; }

    /// <summary>Whom the program runs as, with their group and no others; by default as we do.</summary>
    public Owner User { get; init; } = Owner.Self;

    /// <summary>Standard input, read until its end or the program's; null is /dev/null. Its reads must be cancellable.</summary>
    public Stream? Input { get; init; }

    /// <summary>Standard output; null is /dev/null.</summary>
    public OutputSink? Output { get; init; }

    /// <summary>Standard error; null sends it where the output goes, in the order written.</summary>
    public OutputSink? Error { get; init; }

    /// <summary>The signal that asks the group to end; SIGTERM unless the program has another for it; 0 for none.</summary>
    public int StopSignal { get; init; } = Signals.Terminate;

    /// <summary>How long a cancelled program may take to end after the <see cref="StopSignal"/>, before SIGKILL.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long the group may take after the <see cref="StopSignal"/> when this process has been killed; by default
    /// not at all. For programs with children of their own to look after.
    /// </summary>
    public TimeSpan OrphanGrace { get; init; }

    /// <summary>What is started, for a program that was found at this path: the file, and all words of its command line.</summary>
    /// <remarks>setpriv(1) replaces itself by the program: the process stays the same.</remarks>
    internal (string File, IReadOnlyList<string> Words) Command(string path) => !User.IsOther
        ? (path, [Program, .. Arguments])
        : (SetPrivileges, ["setpriv", $"--reuid={User.User}", $"--regid={User.Group}", "--clear-groups", "--", path, .. Arguments]);

    public override string ToString() => string.Join(' ', [Program, .. Arguments]);
}
