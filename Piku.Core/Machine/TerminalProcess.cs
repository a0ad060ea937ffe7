using Piku.Core.Model;

namespace Piku.Core.Machine;

/// <summary>
/// A program on a terminal of its own, as after a login: it leads a session, so that a shell has job control, and keys
/// such as ctrl-C reach the program in the foreground. It ends with its terminal: SIGHUP, a grace, SIGKILL, for every
/// program of the session; and with this process, even if that is killed.
/// </summary>
public sealed class TerminalProcess : IAsyncDisposable
{
    /// <summary>A terminal gives at most 4 KiB at once.</summary>
    private const int BufferSize = 4 * 1024;

    /// <summary>Ctrl-D: the end of what is typed.</summary>
    private static readonly byte[] EndOfInput = [4];

    /// <summary>For what the programs showed last to be read, and for SIGKILL to take effect.</summary>
    private static readonly TimeSpan Drain = TimeSpan.FromMilliseconds(500), KillLimit = TimeSpan.FromSeconds(2);

    private readonly ProgramCall _call;
    private readonly PseudoTerminal _terminal;
    private readonly SessionLifeline _lifeline = new();
    private readonly CancellationTokenSource _ended = new();
    private readonly CancellationTokenSource _hungUp = new();

    private bool _isDisposed;

    private TerminalProcess(ProgramCall call, TerminalSettings settings)
    {
        _call = call;
        // The terminal's file belongs to whoever opens it first.
        _terminal = call.User.Do(() => new PseudoTerminal(settings));
    }

    /// <summary>The program's, and the number of its session.</summary>
    public int ProcessId { get; private set; }

    /// <summary>How the program ended; known when its output has been taken. Fails with what the output sink has thrown.</summary>
    public Task<ExitStatus> Exit { get; private set; } = Task.FromResult(default(ExitStatus));

    /// <summary>Starts a program that will be stopped at the latest by <see cref="DisposeAsync"/>.</summary>
    /// <param name="call">Its error goes where all goes, to the terminal; its grace is that of a hang-up.</param>
    /// <exception cref="UserError">The program is not there, or the system will not start it.</exception>
    public static async Task<TerminalProcess> StartAsync(ProgramCall call, TerminalSettings settings)
    {
        var path = Tools.Require(call.Program, call.Environment.Find("PATH"));
        TerminalProcess? process = null;
        try
        {
            process = new TerminalProcess(call, settings);
            process.Launch(path, settings);
            return process;
        }
        catch (IOException failure)
        {
            if (process is not null)
                await process.DisposeAsync();
            throw new UserError($"'{path}' could not be started on a terminal in {call.Folder}: {failure.Message}.", failure);
        }
    }

    public void Resize(TerminalSize size) => _terminal.Resize(size);

    /// <summary>Signals the programs in the foreground; false when there are none.</summary>
    public bool Signal(int signal) => Signals.SendToGroup(_terminal.ForegroundGroup, signal);

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, true))
            return;
        await _hungUp.CancelAsync();
        _terminal.Dispose();
        if (!await _lifeline.EndsWithinAsync(_call.Grace))
            await _lifeline.KillAsync(KillLimit);
        await ((Task)Exit).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _lifeline.DisposeAsync();
        _ended.Dispose();
        _hungUp.Dispose();
    }

    private void Launch(string path, TerminalSettings settings)
    {
        var start = _call.Command(path);
        (ProcessId, var exit) = Reaper.Start(() => Spawn.StartSession(
            start.File, start.Words, start.Environment.With("TERM", settings.Type), start.Folder, _terminal.Path, _call.Mark));
        _lifeline.Hold(ProcessId);
        Exit = LiveAsync(exit, FeedAsync(), ListenAsync());
    }

    private async Task<ExitStatus> LiveAsync(Task<ExitStatus> exit, Task feeding, Task listening)
    {
        var status = await exit;
        // The kernel has sent SIGHUP to the foreground; what ignored it, or was put in the background, goes now.
        await _lifeline.KillAsync(KillLimit);
        await _ended.CancelAsync();
        await feeding;
        await listening;
        return status;
    }

    private async Task FeedAsync()
    {
        if (_call.Input is not { } input)
            return;
        var buffer = new byte[BufferSize];
        try
        {
            while (await input.ReadAsync(buffer, _ended.Token) is var count and > 0)
                if (!await _terminal.TryWriteAsync(buffer.AsMemory(0, count), _ended.Token))
                    return;
            await _terminal.TryWriteAsync(EndOfInput, _ended.Token);
        }
        catch (OperationCanceledException) when (_ended.IsCancellationRequested)
        {
            // The program has ended.
        }
        catch (IOException)
        {
            _terminal.Dispose(); // the person has gone
        }
    }

    private async Task ListenAsync()
    {
        var buffer = new byte[BufferSize];
        while (await ReadAsync(buffer) is var count and > 0)
        {
            try
            {
                if (_call.Output is { } sink)
                    await sink(buffer.AsMemory(0, count), _hungUp.Token);
            }
            catch (OperationCanceledException) when (_hungUp.IsCancellationRequested)
            {
                return;
            }
            catch
            {
                _terminal.Dispose();
                throw;
            }
        }
    }

    private async Task<int> ReadAsync(byte[] buffer)
    {
        try
        {
            if (!_ended.IsCancellationRequested)
                return await _terminal.ReadAsync(buffer, _ended.Token);
        }
        catch (OperationCanceledException) when (_ended.IsCancellationRequested)
        {
            // The program has ended; what it showed last is still in the terminal.
        }
        using var patience = new CancellationTokenSource(Drain);
        try
        {
            return await _terminal.ReadAsync(buffer, patience.Token);
        }
        catch (OperationCanceledException)
        {
            return 0;
        }
    }
}
