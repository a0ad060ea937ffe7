using System.Collections.Immutable;
using System.Net;
using System.Threading.Channels;
using Piku.Core.Deploy;
using Piku.Core.Model;

namespace Piku.Server.Commands;

/// <summary>One thing that a person, or git, can ask of piku. <see cref="VerbTable"/> has them all.</summary>
/// <param name="Name">What is typed.</param>
/// <param name="Arguments">As help shows them; see <see cref="Usage"/>.</param>
/// <param name="Needs">The right that a caller must have; see <see cref="Rights"/>.</param>
/// <param name="Summary">One line for help; empty for the verbs that only programs call.</param>
/// <param name="Run">Does it. Returns the exit status; a <see cref="UserError"/> becomes a sentence and status 1.</param>
internal sealed record Verb(string Name, string Arguments, Right Needs, string Summary, Func<CommandCall, CancellationToken, Task<int>> Run)
{
    public Usage Usage { get; init; } = new(Name, Arguments);

    /// <summary>It goes on until its caller has enough: a server that stops does not wait for it.</summary>
    public bool IsEndless { get; init; }

    public bool IsForPeople => Summary.Length > 0;
}

/// <summary>One call of a verb: what was asked, by whom, and where the answer goes. The caller has the right to it.</summary>
/// <param name="Target">The app that it is about; null when it is about none.</param>
internal sealed record CommandCall(
    CommandLine Line, Verb Verb, ReadArguments Read, AppName? Target, Caller Caller, CommandStreams Streams, Installation Piku)
{
    public ImmutableArray<string> Arguments => Read.Words;

    /// <summary>The value of an option such as <c>--role</c>; null without it.</summary>
    public string? Option(string name) => Read.Options.GetValueOrDefault(name);

    /// <summary>The app that the call is about, which may not be there yet.</summary>
    public AppName Named => Target ?? throw new InvalidOperationException($"'{Verb.Name}' is about no app");

    /// <summary>The app that the call is about.</summary>
    /// <exception cref="UserError">There is no such app.</exception>
    public AppName App => Piku.Apps.Existing(Named.Value);

    public Task SayAsync(string text, CancellationToken cancel) => Streams.Output.LineAsync(text, cancel);
}

/// <summary>Who asks.</summary>
/// <param name="Name">The name beside the key, or of the local user.</param>
/// <param name="Rights">What they may do.</param>
/// <param name="Fingerprint">The key's fingerprint, <c>SHA256:…</c>; null for a local call.</param>
/// <param name="Address">Where they are; null for a local call.</param>
internal sealed record Caller(string Name, Rights Rights, string? Fingerprint, IPAddress? Address);

/// <summary>The three standard streams of a call, with the flow control of whatever they come from.</summary>
internal sealed record CommandStreams(Stream Input, Stream Output, Stream Error)
{
    /// <summary>What the client sent for git: GIT_PROTOCOL.</summary>
    public EnvMap Variables { get; init; } = EnvMap.Empty;

    /// <summary>Cancelled when the server begins to stop.</summary>
    public CancellationToken Stopping { get; init; }

    /// <summary>Cancelled when nobody reads the output any more.</summary>
    public CancellationToken Unread { get; init; }

    /// <summary>Signals for what the call runs, by name without SIG (RFC 4254, section 6.9).</summary>
    public ChannelReader<string>? Signals { get; init; }

    /// <summary>Told the signal that ended what the call ran, by name without SIG.</summary>
    public Action<string>? ReportSignal { get; init; }

    /// <summary>The caller's terminal; null without one. A command that does not use it writes to the streams as ever.</summary>
    public CallTerminal? Terminal { get; init; }
}
