using System.Collections.Immutable;
using System.Threading.Channels;
using Piku.Core.Deploy;
using Piku.Core.Model;

namespace Piku.Server.Commands;

/// <summary>One thing that a person, or git, can ask of piku. <see cref="VerbTable"/> has them all.</summary>
/// <param name="Name">What is typed.</param>
/// <param name="Arguments">As help shows them; see <see cref="Usage"/>.</param>
/// <param name="Summary">One line for help; empty for the verbs that only programs call.</param>
/// <param name="Run">Does it. Returns the exit status; a <see cref="UserError"/> becomes a sentence and status 1.</param>
internal sealed record Verb(string Name, string Arguments, string Summary, Func<CommandCall, CancellationToken, Task<int>> Run)
{
    public Usage Usage { get; } = new(Name, Arguments);

    public bool IsForPeople => Summary.Length > 0;
}

/// <summary>One call of a verb: what was asked, by whom, and where the answer goes.</summary>
internal sealed record CommandCall(CommandLine Line, Verb Verb, Caller Caller, CommandStreams Streams, Installation Piku)
{
    public ImmutableArray<string> Arguments => Line.Arguments;

    /// <summary>The app that the first argument names.</summary>
    /// <exception cref="UserError">It is not a name, or there is no such app.</exception>
    public AppName App => Piku.Apps.Existing(Arguments[0]);

    public Task SayAsync(string text, CancellationToken cancel) => Streams.Output.LineAsync(text, cancel);
}

/// <summary>Who asks.</summary>
/// <param name="Name">The name beside the key, or of the local user.</param>
/// <param name="Fingerprint">The key's fingerprint, <c>SHA256:…</c>; null for a local call.</param>
internal sealed record Caller(string Name, string? Fingerprint);

/// <summary>The three standard streams of a call, with the flow control of whatever they come from.</summary>
internal sealed record CommandStreams(Stream Input, Stream Output, Stream Error)
{
    /// <summary>What the client sent for git: GIT_PROTOCOL.</summary>
    public EnvMap Variables { get; init; } = EnvMap.Empty;

    /// <summary>Signals for what the call runs, by name without SIG (RFC 4254, section 6.9).</summary>
    public ChannelReader<string>? Signals { get; init; }

    /// <summary>Told the signal that ended what the call ran, by name without SIG.</summary>
    public Action<string>? ReportSignal { get; init; }

    /// <summary>The caller's terminal; null without one. A command that does not use it writes to the streams as ever.</summary>
    public CallTerminal? Terminal { get; init; }
}
