using Piku.Core.Git;
using Piku.Core.Machine;
using Piku.Core.Model;
using Piku.Core.Settings;

namespace Piku.Core.Deploy;

/// <summary>A release from its number to its end. Everything here happens under the app's lock.</summary>
internal sealed class ReleaseUnderWay : IDisposable
{
    private readonly Installation _piku;
    private readonly AppName _app;
    private readonly ReleaseStore _store;
    private readonly ReleaseLog _log;
    private Release _release;

    /// <summary>Numbers the release, and has all that is said written to its log.</summary>
    /// <exception cref="UserError">The disk is full.</exception>
    public ReleaseUnderWay(Installation piku, AppName app, Deployer by, DeployLog log, string purpose, DeployTarget target, int? backTo = null)
    {
        (_piku, _app, _store) = (piku, app, piku.ReleasesOf(app));
        _release = _store.Begin(purpose, target, by, backTo);
        _log = new(_store.LogFile(Number));
        log.RecordIn(_log);
    }

    public int Number => _release.Number;

    /// <summary>Keeps what a rollback to this release will need. From here on it may succeed.</summary>
    /// <exception cref="UserError">The disk is full.</exception>
    public void Settle()
    {
        _store.SaveSettings(Number);
        _store.Write(_release = _release with { Dependencies = new DependencyHashes(_piku.Paths, _app).Id });
    }

    public void Succeed() => End(ReleaseOutcome.Succeeded, null);

    /// <summary>Notes why it failed, as its pusher will read it. What failed already stays so.</summary>
    public void Fail(Exception failure)
    {
        if (_release.Outcome is not ReleaseOutcome.Running)
            return;
        var (outcome, reason) = failure switch
        {
            UserError wrong => (ReleaseOutcome.Failed, wrong.Message),
            DeployCancelled cancelled => (ReleaseOutcome.Cancelled, cancelled.Message),
            OperationCanceledException => (ReleaseOutcome.Cancelled, "it was cancelled, or its client went away."),
            _ => (ReleaseOutcome.Failed, Shortage.Of(failure) ?? "internal error; the server's log has the details."),
        };
        _log.WriteLast($"Error: {reason}\n");
        Dispose();
        try
        {
            End(outcome, reason);
        }
        catch (Exception full) when (full is UserError or IOException)
        {
            // The failure itself is what its pusher must hear of; the next deploy, or start, notes that this one has ended.
        }
    }

    /// <summary>
    /// Makes room: prunes what is over the limits, and sees to it that git keeps the commits of the releases that
    /// stay. A deploy that has succeeded does not fail by it; what is not done now is done after the next.
    /// </summary>
    public async Task TidyAsync()
    {
        try
        {
            var live = _piku.Apps.LiveEnv(_app) ?? EnvMap.Empty;
            _store.Prune(AppSettings.ReleasesKept.TryIn(live, out var kept) ? kept : AppSettings.MostReleases);
            var good = _store.All().Where(release => release.Succeeded).ToList();
            new KeptDependencies(_piku.Paths, _app).Prune(good);
            await _piku.RepositoryOf(_app).KeepReleasesAsync(
                good.ToDictionary(release => release.Number, release => release.Commit), CancellationToken.None);
            // nginx keeps answers for an app that has asked for it, and forgets none when it asks no more.
            if (!NginxSettings.CachePrefixes.IsSetIn(live))
                WholeFolder.Remove(_piku.Paths.AppCache(_app));
        }
        catch (Exception failure) when (failure is UserError or IOException or UnauthorizedAccessException)
        {
            // As said above.
        }
    }

    /// <summary>Nothing of what is said from here on is the release's.</summary>
    public void Dispose() => _log.Dispose();

    private void End(ReleaseOutcome outcome, string? reason) => _store.Write(
        _release = _release with { Outcome = outcome, Reason = reason, Duration = _piku.Clock.GetUtcNow() - _release.Began });
}
