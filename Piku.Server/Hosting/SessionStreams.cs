using System.Diagnostics.CodeAnalysis;
using Piku.Core.Machine;
using Piku.Core.Model;
using Piku.Server.Commands;
using Piku.Server.Ssh;

namespace Piku.Server.Hosting;

/// <summary>From a session to the streams of a command, with a terminal and without.</summary>
internal static class SessionStreams
{
    private const byte ControlC = 3;

    public static CommandStreams Of(SshSession session) => Plain(session) with
    {
        Variables = EnvMap.From(session.Environment.Where(pair => pair.Key == "GIT_PROTOCOL")),
        Stopping = session.Stopping,
        Signals = session.Signals,
        ReportSignal = name => session.ExitSignal = name,
        Terminal = session.Terminal is { } terminal ? Of(session, terminal) : null,
    };

    /// <summary>
    /// Runs a command that gives its terminal to no program: there is no keyboard driver that makes a signal of ctrl-C.
    /// </summary>
    [SuppressMessage("Reliability", "CA2025", Justification = "The watching has ended before the source is disposed of.")]
    public static async Task<int> InterruptiblyAsync(SshSession session, Func<CancellationToken, Task<int>> run, CancellationToken cancel)
    {
        using var interrupt = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var watching = WatchAsync(session.Input, interrupt);
        try
        {
            return await run(interrupt.Token);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return 128 + Signals.Interrupt;
        }
        finally
        {
            await interrupt.CancelAsync();
            await watching;
        }
    }

    private static async Task WatchAsync(Stream keys, CancellationTokenSource interrupt)
    {
        var buffer = new byte[64];
        try
        {
            while (await keys.ReadAsync(buffer, interrupt.Token) is var count and > 0)
                if (buffer.AsSpan(0, count).Contains(ControlC))
                    await interrupt.CancelAsync();
        }
        catch (Exception over) when (over is OperationCanceledException or IOException)
        {
            // The command has ended, or the person has gone.
        }
    }

    private static CommandStreams Plain(SshSession session) => session.Terminal is null
        ? new(session.Input, session.Output, session.Error)
        : new(Stream.Null, new TerminalText(session.Output), new TerminalText(session.Error));

    private static CallTerminal Of(SshSession session, SshTerminal terminal) => new(
        session.Input, session.Output, new(terminal.Type.Length > 0 ? terminal.Type : "dumb", Of(terminal.Size), terminal.Modes), terminal.Resizes.ReadAllAsync().Select(Of));

    private static TerminalSize Of(SshWindowSize size) =>
        new(Clamp(size.Columns), Clamp(size.Rows), Clamp(size.PixelWidth), Clamp(size.PixelHeight));

    private static ushort Clamp(uint value) => (ushort)Math.Min(value, ushort.MaxValue);
}
