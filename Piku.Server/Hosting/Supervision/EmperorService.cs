using System.Diagnostics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Piku.Core.Apps;
using Piku.Core.Machine;
using Piku.Core.Model;
using Piku.Core.Services;

namespace Piku.Server.Hosting.Supervision;

/// <summary>
/// Runs the uWSGI emperor where no systemd does. It runs as our user, with an environment of its own that every
/// vassal and everything started by one inherits; by a mark in it they are known even when they have left the group.
/// </summary>
internal sealed class EmperorService : BackgroundService
{
    private const string Mark = "PIKU_EMPEROR";

    /// <summary>The emperor gives its vassals time and looks only once a second whether they are gone.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan LeftoverGrace = TimeSpan.FromSeconds(5), Poll = TimeSpan.FromMilliseconds(50);

    /// <summary>Bytes of log that a start leaves; the emperor itself never turns it over.</summary>
    private const long LogLimit = 1 << 20;

    private readonly PikuPaths _paths;
    private readonly EmperorFiles _files;
    private readonly Emperor _emperor;
    private readonly EnvMap _environment;
    private readonly ILogger<EmperorService> _logger;
    private readonly SupervisedProgram _program;

    /// <param name="environment">What programs may see of ours: PATH, HOME, USER, LANG.</param>
    public EmperorService(PikuPaths paths, EnvMap environment, TimeProvider clock, ILogger<EmperorService> logger)
    {
        (_paths, _files, _emperor, _logger) = (paths, new(paths), new(paths, clock), logger);
        _environment = environment.With(Mark, paths.Root);
        _program = new(new("uWSGI", PrepareAsync, IsReadyAsync, Explain), RestartPolicy.Default, clock, logger);
    }

    /// <inheritdoc cref="SupervisedProgram.Ready"/>
    public Task Ready => _program.Ready;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await _program.RunAsync(stoppingToken);
        await EndLeftoversAsync();
    }

    private Task<ProgramCall> PrepareAsync(CancellationToken cancellationToken)
    {
        _files.Check();
        KillLeftovers();
        foreach (var folder in new[] { _paths.Uwsgi, _paths.VassalsEnabled, _paths.Run })
            Directory.CreateDirectory(folder);
        TurnLogOver();
        AtomicFile.Write(_files.Config, _files.Settings(), AtomicFile.Readable);
        AtomicFile.Write(_files.Wrapper, _files.WrapperScript(), AtomicFile.Executable);
        return Task.FromResult(new ProgramCall
        {
            Program = "uwsgi",
            Arguments = ["--ini", _files.Config],
            Folder = _paths.Root,
            Environment = _environment,
            // Of the signals that end the emperor, the one that also ends a vassal which gets it with its group.
            StopSignal = Signals.Interrupt,
            Grace = Grace,
            OrphanGrace = Grace,
        });
    }

    private async Task<bool> IsReadyAsync(int processId, CancellationToken cancellationToken) =>
        await _emperor.StatusAsync(cancellationToken) is { } status && status.ProcessId == processId;

    /// <summary>
    /// What an emperor has left: uWSGI ends its commands, and where it was killed the kernel does (PR_SET_PDEATHSIG), but
    /// nobody ends what they have started.
    /// </summary>
    internal static List<ProcessInfo> Leftovers(PikuPaths paths)
    {
        var apps = new AppStore(paths).All().ToList();
        return
        [
            .. ProcessTable.Read().Where(process => !process.IsZombie && process.Id != Environment.ProcessId
                && (ProcessTable.WasStartedWith(process.Id, Mark, paths.Root) || IsWorker(process))),
        ];

        bool IsWorker(ProcessInfo process) =>
            MarkedProcesses.MarkOf(process) is { Purpose: ProcessPurpose.Worker } mark && apps.Exists(app => mark.IsOf(paths.Root, app));
    }

    private void KillLeftovers()
    {
        foreach (var process in Leftovers(_paths))
        {
            Log.LeftOver(_logger, process.Id, ProcessTable.CommandLine(process.Id));
            Signals.Send(process, Signals.Kill);
        }
    }

    /// <summary>The emperor is gone, and its commands were asked to end; what is slow about it, or was never asked, gets a little time.</summary>
    private async Task EndLeftoversAsync()
    {
        var asked = new HashSet<(int Id, ulong Started)>();
        for (var watch = Stopwatch.StartNew(); Leftovers(_paths) is { Count: > 0 } left && watch.Elapsed < LeftoverGrace; await Task.Delay(Poll))
        {
            foreach (var process in left.Where(process => asked.Add((process.Id, process.Started))))
                Signals.Send(process, Signals.Terminate);
        }
        foreach (var process in Leftovers(_paths))
            Signals.Send(process, Signals.Kill);
    }

    private void TurnLogOver()
    {
        if (File.Exists(_files.Log) && new FileInfo(_files.Log).Length > LogLimit)
            File.Move(_files.Log, _files.Log + ".old", overwrite: true);
    }

    private static string? Explain(string output) =>
        output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).LastOrDefault();
}
