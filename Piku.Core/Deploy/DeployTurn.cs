using System.Diagnostics.CodeAnalysis;
using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Core.Deploy;

/// <summary>
/// One deploy's place in the <see cref="DeployQueue"/>, from when it is wanted until it is kept or undone: first the
/// app is its own, then it may build, and all the time somebody may cancel it.
/// </summary>
internal sealed class DeployTurn : IDisposable
{
    /// <summary>How late a deploy may notice that it is cancelled.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);

    private readonly Installation _piku;
    private readonly AppName _app;
    private readonly DeployLog _log;
    private readonly string _id;
    private readonly Announcement _announcement;
    private readonly CancellationTokenSource _cancel;
    private readonly ITimer _watch;
    private readonly Lock _gate = new();
    private DeployNotice _notice;
    private FileLock? _held;
    private bool _isOver;

    private DeployTurn(Installation piku, AppName app, DeployNotice notice, DeployLog log, CancellationToken cancel)
    {
        (_piku, _app, _notice, _log) = (piku, app, notice, log);
        (_id, _announcement) = piku.Deploys.Announce(notice);
        _cancel = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        Cancelled = _cancel.Token;
        log.Follow(step => Say(now => now with { Step = step }));
        _watch = piku.Clock.CreateTimer(_ => EndIfWanted(), null, Look, Look);
    }

    /// <summary>The owner is gone, or somebody has cancelled the deploy.</summary>
    public CancellationToken Cancelled { get; }

    public string? CancelledBy => _notice.CancelledBy;

    public static DeployTurn Announce(Installation piku, AppName app, string purpose, Deployer by, DeployLog log, CancellationToken cancel) =>
        new(piku, app, new(app.Value, purpose, by.Name, piku.Clock.GetUtcNow(), "", DeployPlace.WaitsForApp), log, cancel);

    /// <summary>Waits until every deploy of the app that came before is over, and takes the app's lock.</summary>
    public async Task TakeAppAsync()
    {
        var hasSaid = false;
        while (Before(other => other.App == _app.Value) is { } other)
        {
            if (!hasSaid)
                await _log.StepAsync($"Waiting for the {other.Purpose} by {other.By}, under way since {other.Since:HH:mm:ss} UTC.", Cancelled);
            hasSaid = true;
            await Task.Delay(DeployQueue.Poll, Cancelled);
        }
        _held = await FileLock.AcquireAsync(
            _piku.Paths.AppLock(_app), $"{_notice.Purpose} by {_notice.By}", _piku.Clock, hasSaid ? null : _log.WaitingForAsync(Cancelled), Cancelled);
        Say(now => now with { Place = DeployPlace.UnderWay });
    }

    /// <summary>
    /// Waits until fewer apps are being built than may be at once (<c>deploy.parallel</c>). Whoever holds one of these
    /// places has its app already and waits for nothing else, so there is no circle of waiting.
    /// </summary>
    public async Task<IDisposable> TakeSlotAsync()
    {
        Say(now => now with { Place = DeployPlace.WaitsForSlot });
        var hasSaid = false;
        while (true)
        {
            if (Before(other => other.Place is DeployPlace.WaitsForSlot) is null && FreeSlot() is { } slot)
            {
                Say(now => now with { Place = DeployPlace.UnderWay });
                return slot;
            }
            if (!hasSaid && Holders() is { Count: > 0 } holders)
            {
                hasSaid = true;
                // Whoever reads this, or the release's log, may know nothing of other apps: 'deploys' lists those that they may.
                await _log.StepAsync(
                    $"Waiting for {(holders.Count == 1 ? "a deploy of another app" : $"{holders.Count} deploys of other apps")}, under way since {holders.Min(holder => holder.Since):HH:mm:ss} UTC.", Cancelled);
            }
            await Task.Delay(DeployQueue.Poll, Cancelled);
        }
    }

    /// <summary>The new version runs: from here on nobody can cancel it.</summary>
    /// <exception cref="OperationCanceledException">Somebody just has.</exception>
    public void Settle()
    {
        lock (_gate)
        {
            if (CancelledBy is not null)
                throw new OperationCanceledException();
            Say(now => now with { Place = DeployPlace.Settled });
        }
    }

    /// <summary>What a failure is called: a deploy that ends because somebody has cancelled it says who.</summary>
    public Exception Explain(Exception failure) =>
        failure is OperationCanceledException && CancelledBy is { } who ? new DeployCancelled(who, failure) : failure;

    public void Dispose()
    {
        lock (_gate)
        {
            if (_isOver)
                return;
            _isOver = true;
        }
        _watch.Dispose();
        _log.Follow(null);
        _held?.Dispose();
        _piku.Deploys.Forget(_id);
        _announcement.Dispose();
        _cancel.Dispose();
    }

    /// <summary>The first of those who came before us, and still are in our way.</summary>
    private DeployNotice? Before(Func<DeployNotice, bool> isInOurWay) =>
        _piku.Deploys.Living().TakeWhile(living => living.Id != _id).Select(living => living.Notice).FirstOrDefault(isInOurWay);

    private FileLock? FreeSlot() =>
        Slots().Select(slot => FileLock.TryAcquire(slot, $"{_notice}", _piku.Clock)).FirstOrDefault(taken => taken is not null);

    private List<LockHolder> Holders() => [.. Slots().Select(FileLock.Holder).OfType<LockHolder>()];

    private IEnumerable<string> Slots() => Enumerable.Range(1, _piku.ParallelDeploys).Select(SlotFile);

    private string SlotFile(int number) => Path.Combine(_piku.Paths.Run, "slots", $"{number}");

    private void Say(Func<DeployNotice, DeployNotice> change)
    {
        lock (_gate)
        {
            if (_isOver)
                return;
            _notice = change(_notice);
            _announcement.Say(_notice.Write());
        }
    }

    [SuppressMessage("Reliability", "CA2012", Justification = "Nobody waits for those who are told.")]
    private void EndIfWanted()
    {
        lock (_gate)
        {
            if (_isOver || _notice is not { CancelledBy: null, Place: not DeployPlace.Settled } || _piku.Deploys.CancelRequest(_id) is not { } by)
                return;
            Say(now => now with { CancelledBy = by });
            // Not here: those who are told would run under our lock.
            _ = _cancel.CancelAsync();
        }
    }
}

/// <summary>Somebody has cancelled a deploy.</summary>
internal sealed class DeployCancelled(string by, Exception cause) : Exception($"the deploy was cancelled by {by}.", cause);
