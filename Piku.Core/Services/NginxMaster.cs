using System.Globalization;
using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Core.Services;

/// <summary>The running nginx: its master process and the workers that it has.</summary>
public sealed class NginxMaster(NginxFiles files, TimeProvider clock)
{
    /// <summary>What it says when it has tried for an address five times (ngx_open_listening_sockets).</summary>
    private const string GivesUp = "still could not bind()";

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(10);

    /// <summary>The master's process id, or null when nginx does not run.</summary>
    public int? ProcessId =>
        int.TryParse(AtomicFile.ReadIfExists(files.ProcessIdFile)?.Trim(), NumberStyles.None, null, out var id)
        && ProcessTable.IsRunning(id) && ProcessTable.CommandLine(id).StartsWith("nginx: master", StringComparison.Ordinal)
            ? id
            : null;

    /// <summary>
    /// Has nginx read its configuration again, and waits until the workers of before have stopped listening: each
    /// has ended, or says that it is shutting down (nginx, "Changing Configuration"). Nothing to do if it does not run.
    /// </summary>
    /// <exception cref="UserError">nginx has kept its old configuration.</exception>
    public async Task ReloadAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        if (ProcessId is not { } master)
            return;
        var before = Workers(master).Select(worker => worker.Id).ToHashSet();
        var logged = File.Exists(files.Log) ? new FileInfo(files.Log).Length : 0;
        Hangup();
        var start = clock.GetTimestamp();
        while (Workers(master) is var workers && (workers.Any(worker => before.Contains(worker.Id)) || !workers.Any(worker => worker.IsSetUp)))
        {
            if (ProcessId != master)
                return;
            var said = SaidSince(logged);
            if (said.Contains(GivesUp, StringComparison.Ordinal) || clock.GetElapsedTime(start) >= timeout)
                throw new UserError($"nginx did not take over its new configuration: {NginxMessage.Read(Gravest(said)) ?? $"{files.Log} says why"}.");
            await Task.Delay(Poll, clock, cancellationToken);
        }
    }

    /// <summary>What its workers say of requests meanwhile is about something else.</summary>
    private static string Gravest(string log) => string.Join('\n', log.Split('\n').Where(line => line.Contains("[emerg]", StringComparison.Ordinal)));

    private string SaidSince(long length)
    {
        if (!File.Exists(files.Log) || new FileInfo(files.Log).Length <= length)
            return "";
        using var log = new FileStream(files.Log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        log.Seek(length, SeekOrigin.Begin);
        using var reader = new StreamReader(log);
        return reader.ReadToEnd();
    }

    /// <summary>False when nginx does not run and is not started again in time.</summary>
    public async Task<bool> WaitUntilRunsAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        for (var start = clock.GetTimestamp(); ProcessId is null; await Task.Delay(Poll, clock, cancellationToken))
        {
            if (clock.GetElapsedTime(start) >= timeout)
                return false;
        }
        return true;
    }

    /// <summary>SIGHUP to the master; false when nginx does not run.</summary>
    public bool Hangup() => ProcessId is { } master && Signals.Send(master, Signals.Hangup);

    /// <summary>True while workers of an earlier configuration finish what they have.</summary>
    public bool HasOldWorkers() => ProcessId is { } master && ProcessTable.Read().Any(process =>
        process.Parent == master && ProcessTable.CommandLine(process.Id) == "nginx: worker process is shutting down");

    /// <summary>Workers that take new connections, or will: one has the master's title until it has set itself up.</summary>
    private static List<(int Id, bool IsSetUp)> Workers(int master) =>
    [
        .. from process in ProcessTable.Read()
           where process.Parent == master
           let title = ProcessTable.CommandLine(process.Id)
           where title == "nginx: worker process" || title.StartsWith("nginx: master", StringComparison.Ordinal)
           select (process.Id, title == "nginx: worker process"),
    ];
}
