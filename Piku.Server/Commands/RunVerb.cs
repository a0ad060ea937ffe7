using System.Threading.Channels;
using Piku.Core.Deploy;
using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Server.Commands;

/// <summary>
/// <c>run</c>: a shell command in the app's folder with the app's live environment. Its exit status is ours (D15)
/// and it ends with its caller (D26).
/// </summary>
internal static class RunVerb
{
    public const string Name = "run";

    /// <summary>From the hang-up of a terminal to SIGKILL; a connection gives its sessions 10 seconds in all.</summary>
    private static readonly TimeSpan HangUpGrace = TimeSpan.FromSeconds(3);

    public static async Task<int> RunAsync(CommandCall call, CancellationToken cancel)
    {
        var app = call.App;
        var command = WithoutFirstDashes(call.Line.Tail);
        if (command.Length == 0)
            throw UsageException.For(call.Verb.Usage, "there is nothing to run.");
        var program = new ProgramCall
        {
            Program = "/bin/sh",
            Arguments = ["-c", command],
            Folder = FolderOf(call, app),
            Environment = (call.Piku.Apps.LiveEnv(app) ?? call.Piku.Host.Environment).WithAll(call.Piku.Users.Environment(app)),
            User = call.Piku.Users.Of(app),
            Mark = MarkedProcesses.New(call.Piku.Paths, app, ProcessPurpose.Run),
        };
        try
        {
            var status = call.Streams.Terminal is { } terminal
                ? await RunOnTerminalAsync(program, call.Streams, terminal, cancel)
                : await RunOnStreamsAsync(program, call.Streams, cancel);
            if (status.Signal is { } signal)
                call.Streams.ReportSignal?.Invoke(Signals.Name(signal));
            return status.ShellCode;
        }
        finally
        {
            // What has left the group, or the session of a terminal.
            MarkedProcesses.Kill(mark => mark == program.Mark);
        }
    }

    private static async Task<ExitStatus> RunOnStreamsAsync(ProgramCall program, CommandStreams streams, CancellationToken cancel)
    {
        await using var child = await ChildProcess.StartAsync(program with
        {
            Input = streams.Input,
            Output = streams.Output.WriteAsync,
            Error = streams.Error.WriteAsync,
        });
        return await WaitAsync(child.Exit, over => ForwardSignalsAsync(streams.Signals, child.Signal, over), cancel);
    }

    private static async Task<ExitStatus> RunOnTerminalAsync(
        ProgramCall program, CommandStreams streams, CallTerminal terminal, CancellationToken cancel)
    {
        await using var process = await TerminalProcess.StartAsync(
            program with { Input = terminal.Input, Output = terminal.Output.WriteAsync, Grace = HangUpGrace }, terminal.Settings);
        return await WaitAsync(
            process.Exit,
            over => Task.WhenAll(ForwardSignalsAsync(streams.Signals, process.Signal, over), ResizeAsync(terminal, process, over)),
            cancel);
    }

    private static async Task<ExitStatus> WaitAsync(Task<ExitStatus> exit, Func<CancellationToken, Task> forward, CancellationToken cancel)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var forwarding = forward(over.Token);
        try
        {
            return await exit.WaitAsync(cancel);
        }
        finally
        {
            await over.CancelAsync();
            await forwarding;
        }
    }

    private static string FolderOf(CommandCall call, AppName app) =>
        call.Piku.Paths.App(app) is var folder && Directory.Exists(folder) ? Path.Combine(folder, AppDirectory.Of(call.Piku, app))
        : throw new UserError($"'{app}' was never deployed: push it first.");

    private static async Task ForwardSignalsAsync(ChannelReader<string>? signals, Func<int, bool> send, CancellationToken over)
    {
        try
        {
            while (signals is not null && await signals.WaitToReadAsync(over))
            {
                if (signals.TryRead(out var name) && Signals.Number(name) is { } signal)
                    send(signal);
            }
        }
        catch (OperationCanceledException)
        {
            // The program has ended before the client.
        }
    }

    private static async Task ResizeAsync(CallTerminal terminal, TerminalProcess process, CancellationToken over)
    {
        try
        {
            await foreach (var size in terminal.Resizes.WithCancellation(over))
                process.Resize(size);
        }
        catch (OperationCanceledException)
        {
            // The program has ended before the client.
        }
    }

    /// <summary>As upstream: the first <c>--</c> only says where piku's own options end.</summary>
    private static string WithoutFirstDashes(string tail)
    {
        if (tail == "--" || tail.StartsWith("-- ", StringComparison.Ordinal))
            return tail[2..].Trim();
        var at = tail.IndexOf(" -- ", StringComparison.Ordinal);
        return at < 0 ? tail : tail[..at] + tail[(at + 3)..];
    }
}
