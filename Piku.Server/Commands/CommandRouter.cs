using Microsoft.Extensions.Logging;
using Piku.Core.Deploy;
using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Server.Commands;

/// <summary>
/// From a command line to an exit status: finds the verb, checks its arguments and the caller's right to it, runs it,
/// and turns every failure into a sentence. The same for a call over SSH and for one typed on the server itself.
/// This is the one place where rights are enforced: a verb gets no app but the one that was checked.
/// </summary>
/// <param name="record">Told of every call when it is over.</param>
internal sealed partial class CommandRouter(Installation piku, Action<CommandRecord> record, ILogger<CommandRouter> log)
{
    /// <summary>Exit status when piku itself failed (EX_SOFTWARE of sysexits.h).</summary>
    public const int InternalError = 70;

    /// <summary>Exit status when the server stops before the command could end: it may be tried again (EX_TEMPFAIL of sysexits.h).</summary>
    public const int Stopped = 75;

    /// <summary>For the caller to take the sentence that the server stops.</summary>
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(2);

    /// <param name="id">The connection's id, which leads from the user's "internal error" to our log.</param>
    public async Task<int> RunAsync(CommandLine line, Caller caller, CommandStreams streams, string id, CancellationToken cancel)
    {
        var started = piku.Clock.GetTimestamp();
        int? status = null;
        AppName? app = null;
        try
        {
            status = await GuardAsync(line, caller, streams, id, about => app = about, cancel);
            return status.Value;
        }
        finally
        {
            record(new(id, caller, Redaction.Of(line), app, status, piku.Clock.GetElapsedTime(started)));
        }
    }

    private async Task<int> GuardAsync(
        CommandLine line, Caller caller, CommandStreams streams, string id, Action<AppName?> about, CancellationToken cancel)
    {
        try
        {
            return await DispatchAsync(line, caller, streams, about, cancel);
        }
        catch (UsageException wrong)
        {
            return await FailAsync(streams, $"Error: {wrong.Message}", Usage.ExitStatus, cancel);
        }
        catch (UserError wrong)
        {
            return await FailAsync(streams, $"Error: {wrong.Message}", 1, cancel);
        }
        catch (IOException failure) when (Shortage.Of(failure) is { } shortage)
        {
            return await FailAsync(streams, $"Error: {shortage}", 1, cancel);
        }
        catch (OperationCanceledException) when (streams.Stopping.IsCancellationRequested)
        {
            using var patience = new CancellationTokenSource(LastWords);
            return await FailAsync(streams, "Error: the server is stopping; try again when it is back.", Stopped, patience.Token);
        }
        catch (Exception broken) when (broken is not OperationCanceledException)
        {
            LogBroken(broken, id, line.Verb);
            return await FailAsync(streams, $"Error: internal error; the server's log has the details under '{id}'.", InternalError, cancel);
        }
    }

    private async Task<int> DispatchAsync(
        CommandLine line, Caller caller, CommandStreams streams, Action<AppName?> about, CancellationToken cancel)
    {
        streams.Stopping.ThrowIfCancellationRequested();
        if (line.Problem is { } problem)
            throw new UsageException(problem);
        if (line.Verb.Length == 0)
        {
            await streams.Output.LineAsync(HelpText.Greeting(caller, piku.Paths), cancel);
            return 0;
        }
        // git clients of old send "git upload-pack" in two words; gitprotocol-pack allows both.
        if (line is { Verb: "git", Arguments: [var service, ..] })
            line = new($"git-{service}", line.Arguments.RemoveAt(0), "");
        if (VerbTable.Find(piku.Paths, line.Verb) is not { } verb)
            throw new UsageException($"there is no command '{Printable.Text(line.Verb)}'{VerbTable.Suggestion(line.Verb)}. 'help' lists them.");
        if (line.Arguments is ["--help" or "-h"] && verb.IsForPeople)
        {
            await streams.Output.LineAsync(HelpText.For(verb), cancel);
            return 0;
        }
        var read = verb.Usage.Read(line.Arguments);
        var app = verb.Usage.AppOf(read.Words);
        about(app);
        caller.Rights.Demand(verb.Needs, app, verb.Name);
        var call = new CommandCall(line, verb, read, app, caller, streams, piku);
        if (!verb.IsEndless && !(verb.Name == RunVerb.Name && streams.Terminal is not null))
            return await verb.Run(call, cancel);
        using var untilStop = CancellationTokenSource.CreateLinkedTokenSource(cancel, streams.Stopping, streams.Unread);
        return await verb.Run(call, untilStop.Token);
    }

    private static async Task<int> FailAsync(CommandStreams streams, string sentence, int status, CancellationToken cancel)
    {
        await streams.Error.LineAsync(sentence, cancel);
        return status;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Id}: '{Verb}' failed")]
    private partial void LogBroken(Exception failure, string id, string verb);
}
