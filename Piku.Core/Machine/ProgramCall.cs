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

    /// <summary>Of coreutils.</summary>
    private const string SetEnvironment = "/usr/bin/env";

    /// <summary>Names, or what names begin with.</summary>
    private static readonly string[] ForLoader =
    [
        "LD_", "GLIBC_", "MALLOC_", "GCONV_PATH", "GETCONF_DIR", "HOSTALIASES", "LANG", "LANGUAGE", "LC_", "LOCALDOMAIN", "LOCPATH",
        "NIS_PATH", "NLSPATH", "OUTPUT_CHARSET", "RESOLV_", "RES_OPTIONS", "TMPDIR", "TZ", "TZDIR",
    ];

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

    /// <summary>What the program carries, and all that it starts, wherever that goes; null for nothing.</summary>
    public ProcessMark? Mark { get; init; }

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

    /// <summary>What is started, for a program that was found at this path.</summary>
    /// <remarks>
    /// setpriv(1) and env(1) replace themselves by the program: the process stays the same. Until it is the other user's,
    /// nothing that is theirs is followed: neither their folder, which may be a link, nor the variables by which a program
    /// is made to load what they name. Both are env's to set, which runs as they.
    /// </remarks>
    internal Start Command(string path) => !User.IsOther
        ? new(path, [Program, .. Arguments], Environment, Folder)
        : new(
            SetPrivileges,
            [
                "setpriv", $"--reuid={User.User}", $"--regid={User.Group}", "--clear-groups", "--",
                SetEnvironment, $"--chdir={Folder}", .. Environment.Where(IsForLoader).Select(variable => $"{variable.Key}={variable.Value}"), path, .. Arguments,
            ],
            EnvMap.From(Environment.Where(variable => !IsForLoader(variable))),
            "/");

    /// <summary>True for a variable that changes what the loader and the C library do in any program (ld.so(8), "Secure-execution mode").</summary>
    private static bool IsForLoader(KeyValuePair<string, string> variable) =>
        Array.Exists(ForLoader, name => name[^1] == '_' ? variable.Key.StartsWith(name, StringComparison.Ordinal) : variable.Key == name);

    public override string ToString() => string.Join(' ', [Program, .. Arguments]);

    /// <summary>What the system is told to start.</summary>
    internal sealed record Start(string File, IReadOnlyList<string> Words, EnvMap Environment, string Folder);
}
