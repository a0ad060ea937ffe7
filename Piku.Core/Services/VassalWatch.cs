using System.Net;
using System.Net.Sockets;
using Piku.Core.Machine;

namespace Piku.Core.Services;

/// <summary>Follows one installed vassal from its file to its being up, or to its end.</summary>
internal sealed class VassalWatch(InstalledVassal vassal, string tokenFile, TimeProvider clock)
{
    /// <summary>A listener on this machine takes a connection at once or not at all.</summary>
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromMilliseconds(250);

    /// <summary>When workers that a reload should end are looked at, and when those still there are told again.</summary>
    private static readonly TimeSpan Reload = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan SlowReload = TimeSpan.FromSeconds(2);

    private int? _emperor;
    private int _master;
    private long _masterSeen;
    private List<int>? _oldWorkers;
    private int _failures;
    private int _forgiven;
    private int _command;
    private long _commandSeen;

    public bool IsReady { get; private set; }

    public VassalFailure? Failure { get; private set; }

    public async Task LookAsync(EmperorStatus? status, CancellationToken cancellationToken)
    {
        if (status is null || IsReady || Failure is not null)
            return;
        if (HasEnded(status))
            Fail("ended while it was starting");
        else if (_master != 0 && HasToken())
            await LookAtWorkAsync(cancellationToken);
        else if (_master != 0 && vassal.Vassal.Readiness is Readiness.Accepting)
            RemindOldWorkers();
    }

    /// <summary>The file is the app's own where it has a user, and may be of any length.</summary>
    private bool HasToken() => new FileInfo(tokenFile) is { Exists: true } file && file.Length == vassal.Token.Length && AtomicFile.ReadIfExists(tokenFile) == vassal.Token;

    /// <summary>What to say when it was neither.</summary>
    public VassalFailure TimedOut(bool emperorAnswers, TimeSpan timeout) => new(vassal.Name, (emperorAnswers, vassal.Vassal.Readiness) switch
    {
        (false, _) => "was not started: uWSGI's emperor does not answer",
        (_, Readiness.Listening { Address: var address }) when _command != 0 =>
            $"does not listen on {address} after {timeout.TotalSeconds:0} seconds",
        _ => $"was not ready after {timeout.TotalSeconds:0} seconds",
    });

    /// <summary>
    /// A master that had this version and is gone, or replaced, has failed. One that ends before it is ever seen shows
    /// in the count of failures; so does the end of a predecessor that failed or is still ending, and is forgiven.
    /// </summary>
    private bool HasEnded(EmperorStatus status)
    {
        var failures = status.Failures.GetValueOrDefault(vassal.Name);
        var seen = status.Find(vassal.Name);
        if (_emperor != status.ProcessId)
        {
            // First look, or a new emperor that begins from nothing.
            var hasFailingPredecessor = failures > 0 || seen is { Ending: true };
            (_emperor, _master, _failures, _forgiven) = (status.ProcessId, 0, failures, hasFailingPredecessor ? 1 : 0);
        }
        var ended = failures > _failures || (_master != 0 && (seen is null || seen.Ending || seen.ProcessId != _master));
        _failures = failures;
        if (ended && _forgiven-- > 0)
        {
            _master = 0;
            return false;
        }
        if (_master == 0 && seen is { Ending: false } && seen.Modified >= vassal.Modified)
            (_master, _masterSeen, _oldWorkers) = (seen.ProcessId, clock.GetTimestamp(), null);
        return ended;
    }

    /// <summary>
    /// A worker ignores SIGHUP until it has set itself up (core/uwsgi.c). One that was just starting when a reload told
    /// it to end has not heard, and its master would wait for it a minute (worker-reload-mercy).
    /// </summary>
    private void RemindOldWorkers()
    {
        var elapsed = clock.GetElapsedTime(_masterSeen);
        if (_oldWorkers is null && elapsed >= Reload)
            _oldWorkers = [.. Children().Select(process => process.Id)];
        if (_oldWorkers is not { Count: > 0 } || elapsed < SlowReload)
            return;
        foreach (var worker in Children().Where(process => _oldWorkers.Contains(process.Id)))
            Signals.Send(worker.Id, Signals.Hangup);
        _oldWorkers = [];
    }

    private IEnumerable<ProcessInfo> Children() => ProcessTable.Read().Where(process => process.Parent == _master);

    private async Task LookAtWorkAsync(CancellationToken cancellationToken)
    {
        switch (vassal.Vassal.Readiness)
        {
            case Readiness.Listening { Address: var address }:
                IsReady = CommandRuns() && await AcceptsAsync(address, cancellationToken);
                break;
            case Readiness.Running { For: var time }:
                IsReady = CommandRuns() && clock.GetElapsedTime(_commandSeen) >= time;
                break;
            default:
                IsReady = true;
                break;
        }
    }

    /// <summary>
    /// uWSGI starts a command again when it ends, and does not tell: but then its process is another, or for up to a
    /// second a zombie.
    /// </summary>
    private bool CommandRuns()
    {
        // uWSGI's own workers are children too, and idle there.
        var uwsgi = ProcessTable.Program(_master);
        var children = Children().Where(process => process.IsZombie || ProcessTable.Program(process.Id) != uwsgi).ToList();
        if (_command == 0 && children.Count > 0)
            (_command, _commandSeen) = (children[0].Id, clock.GetTimestamp());
        var runs = children.Any(process => process.Id == _command && !process.IsZombie);
        if (!runs && _command != 0)
            Fail("ran a command that ended at once");
        return runs;
    }

    private static async Task<bool> AcceptsAsync(IPEndPoint address, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(ConnectTimeout);
        try
        {
            using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(address, timeout.Token);
            return true;
        }
        catch (Exception refused) when (refused is SocketException
            || (refused is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return false;
        }
    }

    private void Fail(string reason) => Failure = new(vassal.Name, reason);
}
