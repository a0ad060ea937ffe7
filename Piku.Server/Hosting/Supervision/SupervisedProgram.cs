using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Server.Hosting.Supervision;

/// <summary>What has to be known to keep a program running.</summary>
/// <param name="Name">As the log calls it.</param>
/// <param name="PrepareAsync">Called before each start: writes what the program reads, and says how to run it.</param>
/// <param name="IsReadyAsync">Whether the process with this id does its work.</param>
/// <param name="Explain">Makes one sentence of what the program wrote before it ended; null if there is none in it.</param>
internal sealed record ProgramToSupervise(
    string Name,
    Func<CancellationToken, Task<ProgramCall>> PrepareAsync,
    Func<int, CancellationToken, Task<bool>> IsReadyAsync,
    Func<string, string?> Explain);

/// <summary>
/// Keeps a program running: starts it, starts it again with growing pauses when it ends, and ends it with us. If its
/// very first start fails, that is for the person who has started us; later, the program is tried for ever.
/// </summary>
internal sealed class SupervisedProgram(ProgramToSupervise program, RestartPolicy policy, TimeProvider clock, ILogger logger)
{
    /// <summary>On a slow card a first start reads everything from disk; a later one finds it in memory.</summary>
    private static readonly TimeSpan FirstStart = TimeSpan.FromMinutes(2), LaterStart = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(20);

    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>
    /// Done when the program works for the first time; fails with a <see cref="UserError"/> when it does not start.
    /// </summary>
    public Task Ready => _ready.Task;

    /// <summary>Runs until cancelled, and returns when nothing of the program is left.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        TimeSpan? wait = null;
        try
        {
            while (true)
            {
                var started = clock.GetTimestamp();
                var end = await RunOnceAsync(stopping);
                var lived = clock.GetElapsedTime(started);
                if (!_ready.Task.IsCompletedSuccessfully)
                    throw new UserError($"{program.Name} could not be started: {end}.");
                wait = policy.WaitAfter(wait, lived);
                Log.Ended(logger, program.Name, end, lived.TotalSeconds, wait.Value.TotalSeconds);
                await Task.Delay(wait.Value, clock, stopping);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            _ready.TrySetCanceled(stopping);
        }
        catch (Exception failure) when (!_ready.Task.IsCompleted && failure is (UserError or IOException or UnauthorizedAccessException))
        {
            _ready.SetException(failure as UserError ?? new UserError($"{program.Name} could not be started: {failure.Message}", failure));
        }
    }

    /// <returns>How it ended.</returns>
    [SuppressMessage("Design", "CA1031", Justification = "It has worked before, and is said in the log and tried again.")]
    private async Task<string> RunOnceAsync(CancellationToken stopping)
    {
        try
        {
            var output = new LastLines();
            var call = await program.PrepareAsync(stopping) with { Output = output.WriteAsync };
            await using var child = await ChildProcess.StartAsync(call);
            try
            {
                var ready = WaitUntilReadyAsync(child, stopping);
                var status = await child.Exit.WaitAsync(stopping);
                await ready;
                return program.Explain(output.ToString()) ?? status.ToString();
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                await child.StopAsync(call.Grace);
                throw;
            }
        }
        catch (Exception failure) when (_ready.Task.IsCompletedSuccessfully && !stopping.IsCancellationRequested)
        {
            // A tool may just be on its way through an upgrade, the disk be full for a while, or no thread be left.
            return failure.Message;
        }
    }

    private async Task WaitUntilReadyAsync(ChildProcess child, CancellationToken stopping)
    {
        var limit = _ready.Task.IsCompletedSuccessfully ? LaterStart : FirstStart;
        var started = clock.GetTimestamp();
        while (!child.Exit.IsCompleted && clock.GetElapsedTime(started) < limit)
        {
            if (await program.IsReadyAsync(child.ProcessId, stopping))
            {
                Log.Works(logger, program.Name, child.ProcessId);
                _ready.TrySetResult();
                return;
            }
            await Task.WhenAny(child.Exit, Task.Delay(Poll, clock, stopping));
        }
        if (!child.Exit.IsCompleted)
        {
            Log.DoesNotWork(logger, program.Name, limit.TotalSeconds);
            child.Signal(Signals.Kill);
        }
    }
}
