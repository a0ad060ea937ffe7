using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Core.Deploy;

/// <summary>
/// The pushes that are under way in this process, by app. An app that came into being with one of them, none of which
/// has brought anything, goes with the last: <c>git push --dry-run</c> to a name that is a typing error makes no app.
/// </summary>
internal sealed class FirstPushes
{
    private readonly Dictionary<AppName, Pushes> _underWay = [];

    /// <summary>Counts a push that begins.</summary>
    /// <param name="isNew">The app's repository is not there yet.</param>
    public void Begin(AppName app, bool isNew)
    {
        lock (_underWay)
        {
            var others = _underWay.GetValueOrDefault(app, new(0, false));
            _underWay[app] = new(others.Count + 1, others.IsNew || isNew);
        }
    }

    /// <summary>Somebody does push something: also if it is refused, there is a log, and an app that can be configured for the next try.</summary>
    public void Keep(AppName app)
    {
        lock (_underWay)
            _underWay[app] = _underWay[app] with { IsNew = false };
    }

    /// <summary>Counts a push that ends, and removes the app if nothing of it is worth keeping.</summary>
    public async Task EndAsync(Installation piku, AppName app)
    {
        using var held = IsNew(app) ? FileLock.TryAcquire(piku.Paths.AppLock(app), "push", piku.Clock) : null;
        var isEmpty = held is not null && await IsEmptyAsync(piku, app);
        lock (_underWay)
        {
            var pushes = _underWay[app];
            if (pushes.Count > 1)
            {
                _underWay[app] = pushes with { Count = pushes.Count - 1 };
                return;
            }
            _underWay.Remove(app);
            if (!isEmpty || !pushes.IsNew)
                return;
            WholeFolder.Remove(piku.Paths.Repo(app));
        }
        held!.Delete();
    }

    private bool IsNew(AppName app)
    {
        lock (_underWay)
            return _underWay[app].IsNew;
    }

    private static async Task<bool> IsEmptyAsync(Installation piku, AppName app) =>
        !piku.Apps.HasSettings(app) && !Directory.Exists(piku.Paths.AppState(app)) && !Directory.Exists(piku.Paths.App(app))
        && !await piku.RepositoryOf(app).HasRefsAsync(CancellationToken.None);

    private sealed record Pushes(int Count, bool IsNew);
}
