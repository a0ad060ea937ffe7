using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Core.Deploy;

/// <summary>
/// The pushes of an app that are under way in this process. An app that came into being with one of them, none of which
/// has brought anything, goes with the last: <c>git push --dry-run</c> to a name that is a typing error makes no app.
/// </summary>
internal static class FirstPush
{
    private static readonly Dictionary<string, Pushes> UnderWay = new(StringComparer.Ordinal);

    /// <summary>Counts a push that begins.</summary>
    /// <param name="isNew">The app's repository is not there yet.</param>
    public static void Begin(PikuPaths paths, AppName app, bool isNew)
    {
        lock (UnderWay)
        {
            var others = UnderWay.GetValueOrDefault(paths.Repo(app), new(0, false));
            UnderWay[paths.Repo(app)] = new(others.Count + 1, others.IsNew || isNew);
        }
    }

    /// <summary>Somebody does push something: also if it is refused, there is a log, and an app that can be configured for the next try.</summary>
    public static void Keep(PikuPaths paths, AppName app)
    {
        lock (UnderWay)
            UnderWay[paths.Repo(app)] = UnderWay[paths.Repo(app)] with { IsNew = false };
    }

    /// <summary>Counts a push that ends, and removes the app if nothing of it is worth keeping.</summary>
    public static async Task EndAsync(Installation piku, AppName app)
    {
        using var held = IsNew(piku.Paths.Repo(app)) ? FileLock.TryAcquire(piku.Paths.AppLock(app), "push", piku.Clock) : null;
        var isEmpty = held is not null && await IsEmptyAsync(piku, app);
        lock (UnderWay)
        {
            var pushes = UnderWay[piku.Paths.Repo(app)];
            if (pushes.Count > 1)
            {
                UnderWay[piku.Paths.Repo(app)] = pushes with { Count = pushes.Count - 1 };
                return;
            }
            UnderWay.Remove(piku.Paths.Repo(app));
            if (!isEmpty || !pushes.IsNew)
                return;
            WholeFolder.Remove(piku.Paths.Repo(app));
        }
        held!.Delete();
    }

    private static bool IsNew(string repository)
    {
        lock (UnderWay)
            return UnderWay[repository].IsNew;
    }

    private static async Task<bool> IsEmptyAsync(Installation piku, AppName app) =>
        !piku.Apps.HasSettings(app) && !Directory.Exists(piku.Paths.AppState(app)) && !Directory.Exists(piku.Paths.App(app))
        && !await piku.RepositoryOf(app).HasRefsAsync(CancellationToken.None);

    private sealed record Pushes(int Count, bool IsNew);
}
