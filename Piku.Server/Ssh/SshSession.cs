using System.Net;
using System.Threading.Channels;
using Piku.Server.Ssh.Authentication;

namespace Piku.Server.Ssh;

/// <summary>
/// A command that a client runs. The streams work until the handler returns; the handler's token is cancelled
/// when the client has gone, or has to because the server stops.
/// </summary>
internal sealed class SshSession
{
    /// <summary>Names the session in the log: the connection, and the channel on it.</summary>
    public required string Id { get; init; }

    /// <summary>The user name as sent; the identity is the <see cref="Key"/>.</summary>
    public required string User { get; init; }

    /// <summary>The key that the client has proven to have.</summary>
    public required AuthorizedKey Key { get; init; }

    public required IPEndPoint RemoteEndPoint { get; init; }

    public required IPEndPoint LocalEndPoint { get; init; }

    /// <summary>The command line as the client sent it; null when it wants a shell or a subsystem.</summary>
    public required string? Command { get; init; }

    /// <summary>False when the client sent a command line with a byte that is not UTF-8, or a NUL: then nobody knows what it wants.</summary>
    public bool CommandIsReadable { get; init; } = true;

    /// <summary>Which of the server's subsystems the client wants; null when it wants none.</summary>
    public required string? Subsystem { get; init; }

    /// <summary>Null when the client has none, or the key must not have one.</summary>
    public required SshTerminal? Terminal { get; init; }

    /// <summary>Those variables of the client's that the server accepts.</summary>
    public required IReadOnlyDictionary<string, string> Environment { get; init; }

    /// <summary>What the client types or pipes, until its end. Fails when the client goes before that.</summary>
    public required Stream Input { get; init; }

    /// <summary>The client's standard output. Writing waits for a slow client, and fails when it has gone.</summary>
    public required Stream Output { get; init; }

    /// <summary>The client's standard error; as <see cref="Output"/>.</summary>
    public required Stream Error { get; init; }

    /// <summary>Signals that the client sends (RFC 4254, section 6.9): <c>INT</c>, <c>TERM</c>, … without "SIG".</summary>
    public required ChannelReader<string> Signals { get; init; }

    /// <summary>
    /// Cancelled when the server begins to stop: what has no end of its own should come to one, and say why. Whatever
    /// still runs at the end of <see cref="SshLimits.StopGrace"/> is cancelled.
    /// </summary>
    public required CancellationToken Stopping { get; init; }

    /// <summary>
    /// The signal that ended the program, without "SIG"; null when it ended by itself. The client is told of it
    /// (RFC 4254, section 6.10) beside the exit status, which is all that OpenSSH's client looks at.
    /// </summary>
    public string? ExitSignal { get; set; }
}
