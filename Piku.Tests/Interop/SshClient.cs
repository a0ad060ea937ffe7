using Piku.Core.Machine;

namespace Piku.Tests.Interop;

/// <summary>A program that speaks SSH, and how it is told what to do; see <see cref="SshClients"/>.</summary>
/// <param name="Name">As people know it.</param>
internal sealed record SshClient(string Name)
{
    /// <summary>
    /// The program and what makes it come in. Options, the destination and a command may follow. Null when it runs no commands.
    /// </summary>
    public Func<Login, string[]>? Start { get; init; }

    /// <summary>The program that goes on an <see cref="SftpErrand"/>, and what it reads.</summary>
    public Func<Login, SftpErrand, (string[] Words, string Input)>? Sftp { get; init; }

    /// <summary>A program that is called as git is, if it is not git itself with <see cref="Start"/> as its ssh.</summary>
    public Func<Login, string[]>? Git { get; init; }

    /// <summary>What git has to think its ssh is (git-config(1), <c>ssh.variant</c>).</summary>
    public string GitVariant { get; init; } = "simple";

    /// <summary>The option that connects standard input and output with HOST:PORT through the server.</summary>
    public string? Forward { get; init; }

    /// <summary>Whether it takes <c>-N -L PORT:HOST:PORT</c>.</summary>
    public bool Listens { get; init; }

    /// <summary>Options that make it ask the server for a sign of life each second, or more often, and leave when there is none.</summary>
    public string[] KeepAlive { get; init; } = [];

    /// <summary>Options that make it change keys after a megabyte or a few, and say on standard error when it has.</summary>
    public string[] Rekey { get; init; } = [];

    /// <summary>What it then says.</summary>
    public string NewKeys { get; init; } = "new keys";

    /// <summary>Whether it can change keys while data flows at all.</summary>
    public bool ChangesKeys { get; init; } = true;

    /// <summary>Options that leave it only with what <c>ssh.algorithms = "compatible"</c> adds; null where it has no choice.</summary>
    public string[]? Older { get; init; }

    /// <summary>Whether it has nothing in common with the default algorithms.</summary>
    public bool NeedsCompatible { get; init; }

    /// <summary>Of the key that it comes in with.</summary>
    public string KeyType { get; init; } = "ed25519";

    public override string ToString() => Name;

    /// <summary>A command of piku's, not run yet.</summary>
    public ProgramCall Command(Login login, string command, params string[] options) =>
        Call(login, [.. Start!(login), .. options, Login.Destination, command]);

    /// <summary>Itself without a command, not run yet.</summary>
    public ProgramCall WithoutCommand(Login login, params string[] options) => Call(login, [.. Start!(login), .. options, Login.Destination]);

    public static ProgramCall Call(Login login, string[] words) => new()
    {
        Program = words[0],
        Arguments = words[1..],
        Folder = login.Home,
        Environment = login.Environment,
    };
}
