using System.IO.Pipes;
using System.Text;
using Piku.Core.Model;

namespace Piku.Core.Machine;

/// <summary>
/// The way to run programs: an argument list and never a shell, nothing inherited, output with backpressure and
/// without a thread, in a process group that ends with the program, with the call, and with this process, even if
/// that is killed (<see cref="Lifeline"/>). Descendants that make themselves a session of their own, as daemons
/// do, leave the group.
/// </summary>
public sealed class ChildProcess : IAsyncDisposable
{
    /// <summary>Bytes read at once; together with the kernel's 64 KiB, all that is held of an output.</summary>
    private const int BufferSize = 16 * 1024;

    /// <summary>
    /// How long a silent pipe is listened to when the program has ended: only a descendant that left the group
    /// can still hold it open.
    /// </summary>
    private static readonly TimeSpan Drain = TimeSpan.FromMilliseconds(500);

    private readonly ProgramCall _call;
    private readonly StandardPipes _pipes;
    private readonly Lifeline _lifeline;
    private readonly CancellationTokenSource _ended = new();
    private readonly CancellationTokenSource _muted = new();

    private ChildProcess(ProgramCall call)
    {
        _call = call;
        _pipes = new StandardPipes(call);
        try
        {
            _lifeline = call.OrphanGrace > TimeSpan.Zero
                ? new Lifeline(call.StopSignal, call.OrphanGrace)
                : new Lifeline(Signals.Kill, TimeSpan.Zero);
        }
        catch
        {
            _pipes.Dispose();
            throw;
        }
    }

    public int ProcessId { get; private set; }

    /// <summary>
    /// How the program ended; known when all its output has been taken and its group is gone. Fails with what an
    /// output sink has thrown.
    /// </summary>
    public Task<ExitStatus> Exit { get; private set; } = Task.FromResult(default(ExitStatus));

    /// <summary>Starts a program that will be stopped at the latest by <see cref="DisposeAsync"/>.</summary>
    /// <exception cref="UserError">The program is not there, or the system will not start it.</exception>
    public static async Task<ChildProcess> StartAsync(ProgramCall call)
    {
        var path = Tools.Require(call.Program, call.Environment.Find("PATH"));
        ChildProcess? child = null;
        try
        {
            child = new ChildProcess(call);
            child.Launch(path);
            return child;
        }
        catch (IOException failure)
        {
            await (child?.DisposeAsync() ?? ValueTask.CompletedTask);
            throw new UserError($"'{path}' could not be started in {call.Folder}: {failure.Message}.", failure);
        }
    }

    /// <summary>Runs a program to its end. Cancelled, it ends the program: stop signal, grace, SIGKILL.</summary>
    /// <inheritdoc cref="StartAsync" path="/exception"/>
    public static async Task<ExitStatus> RunAsync(ProgramCall call, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        await using var child = await StartAsync(call);
        try
        {
            return await child.Exit.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await child.StopAsync(call.Grace);
            throw;
        }
    }

    /// <summary>Runs a program whose output is short and wanted as text (UTF-8).</summary>
    /// <param name="call">Its <see cref="ProgramCall.Output"/> and <see cref="ProgramCall.Error"/> are replaced.</param>
    /// <param name="limit">Bytes kept of each; the rest is dropped.</param>
    /// <inheritdoc cref="StartAsync" path="/exception"/>
    public static async Task<CapturedRun> CaptureAsync(ProgramCall call, CancellationToken cancellationToken, int limit = 1 << 20)
    {
        using var output = new MemoryStream();
        using var error = new MemoryStream();
        var status = await RunAsync(call with { Output = Into(output), Error = Into(error) }, cancellationToken);
        return new(status, Text(output), Text(error));

        OutputSink Into(MemoryStream kept) => (bytes, _) =>
        {
            kept.Write(bytes.Span[..(int)Math.Min(bytes.Length, limit - kept.Length)]);
            return ValueTask.CompletedTask;
        };

        static string Text(MemoryStream kept) => Encoding.UTF8.GetString(kept.GetBuffer(), 0, (int)kept.Length);
    }

    /// <summary>Signals the program and all its descendants; false when they are gone.</summary>
    public bool Signal(int signal) => _lifeline.Send(signal);

    /// <summary>The call's stop signal to the group, SIGKILL when the grace is over. What it still writes is read and dropped.</summary>
    public async Task StopAsync(TimeSpan grace)
    {
        await _muted.CancelAsync();
        Signal(grace > TimeSpan.Zero ? _call.StopSignal : Signals.Kill);
        await Task.WhenAny(Exit, Task.Delay(grace));
        Signal(Signals.Kill);
        await ((Task)Exit).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(TimeSpan.Zero);
        await _lifeline.DisposeAsync();
        _pipes.Dispose();
        _ended.Dispose();
        _muted.Dispose();
    }

    private void Launch(string path)
    {
        var start = _call.Command(path);
        (ProcessId, var exit) = Reaper.Start(() => Spawn.Start(
            start.File, start.Words, start.Environment, start.Folder, _pipes.FarEnds, _lifeline.Group, mark: _call.Mark));
        _pipes.CloseFarEnds();
        Exit = LiveAsync(
            exit,
            _pipes.Input is { } input ? FeedAsync(_call.Input!, input) : Task.CompletedTask,
            _pipes.Output is { } output ? ListenAsync(output, _call.Output!) : Task.CompletedTask,
            _pipes.Error is { } error ? ListenAsync(error, _call.Error!) : Task.CompletedTask);
    }

    private async Task<ExitStatus> LiveAsync(Task<ExitStatus> exit, Task feeding, params Task[] listening)
    {
        var status = await exit;
        await _lifeline.DisposeAsync();
        await _ended.CancelAsync();
        await feeding;
        await Task.WhenAll(listening);
        return status;
    }

    private async Task FeedAsync(Stream source, AnonymousPipeServerStream pipe)
    {
        await using var closing = pipe;
        var buffer = new byte[BufferSize];
        try
        {
            while (await source.ReadAsync(buffer, _ended.Token) is var count and > 0)
                if (!await TryWriteAsync(pipe, buffer.AsMemory(0, count)))
                    return;
        }
        catch (OperationCanceledException) when (_ended.IsCancellationRequested)
        {
            // The program ended without reading to the end, as is its right.
        }
    }

    /// <summary>False when the program has closed its input: it wants no more, and nothing is wrong.</summary>
    private async Task<bool> TryWriteAsync(AnonymousPipeServerStream pipe, ReadOnlyMemory<byte> bytes)
    {
        try
        {
            await pipe.WriteAsync(bytes, _ended.Token);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private async Task ListenAsync(AnonymousPipeServerStream pipe, OutputSink sink)
    {
        await using var closing = pipe;
        var buffer = new byte[BufferSize];
        while (await ReadAsync(pipe, buffer) is var count and > 0)
        {
            if (_muted.IsCancellationRequested)
                continue;
            try
            {
                await sink(buffer.AsMemory(0, count), _muted.Token);
            }
            catch (OperationCanceledException) when (_muted.IsCancellationRequested)
            {
                // Nobody wants the rest, but the program may still need to write it in order to end.
            }
            catch
            {
                Signal(_call.StopSignal);
                throw;
            }
        }
    }

    private async Task<int> ReadAsync(AnonymousPipeServerStream pipe, byte[] buffer)
    {
        try
        {
            if (!_ended.IsCancellationRequested)
                return await pipe.ReadAsync(buffer, _ended.Token);
        }
        catch (OperationCanceledException) when (_ended.IsCancellationRequested)
        {
            // The program has ended; what it wrote last is still in the pipe.
        }
        while (true)
        {
            using var patience = new CancellationTokenSource(Drain);
            try
            {
                return await pipe.ReadAsync(buffer, patience.Token);
            }
            catch (OperationCanceledException) when (Libc.IsReadable(pipe.SafePipeHandle))
            {
                // A machine so busy that we were not told in time: silence is what the pipe says, not the clock.
            }
            catch (OperationCanceledException)
            {
                return 0;
            }
        }
    }
}
