using System.Runtime.CompilerServices;
using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Core.Deploy;

/// <summary>
/// What upstream piku has left in the folder that is ours now. Each of its apps is started again once, by our plans:
/// with the settings, scaling and dependencies that it has, at our ports, and without what is stale. One that was
/// stopped stays so.
/// </summary>
public static class Takeover
{
    /// <returns>What has become of each app, as it happens.</returns>
    public static async IAsyncEnumerable<string> RunAsync(Installation piku, [EnumeratorCancellation] CancellationToken cancel)
    {
        foreach (var app in piku.Apps.All().Where(app => IsUpstreams(piku, app)))
            yield return await TakeOverAsync(piku, app, cancel);
        foreach (var app in piku.Apps.All().Where(app => HasOtherUser(piku, app)))
            yield return await ChangeUserAsync(piku, app, cancel);
    }

    /// <summary>
    /// Before nginx starts: it must not serve by a site that was written while all apps were one user, because for one with
    /// a user of its own more is forbidden. Each comes back with its app.
    /// </summary>
    public static void RemoveStaleSites(Installation piku)
    {
        foreach (var app in piku.Apps.All().Where(app => piku.Paths.HasAppUsers && HasOtherUser(piku, app)))
            AtomicFile.Delete(piku.Paths.NginxSite(app));
    }

    /// <summary>True for an app that was started as another user than it has now, because <c>apps.users</c> has changed.</summary>
    private static bool HasOtherUser(Installation piku, AppName app)
    {
        try
        {
            return piku.Apps.LiveEnv(app)?.Find("HOME") is { } home && home != (piku.Users.Environment(app).Find("HOME") ?? piku.Host.Home);
        }
        catch (Exception unreadable) when (unreadable is UserError or IOException or UnauthorizedAccessException)
        {
            return piku.Paths.HasAppUsers;
        }
    }

    private static async Task<string> ChangeUserAsync(Installation piku, AppName app, CancellationToken cancel)
    {
        if (piku.StateOf(app) is AppState.Stopped)
            return $"The app '{app}' is stopped, and stays so.";
        try
        {
            await new Deployment(piku, app, new("piku"), DeployLog.Silent).TakeOverAsync(cancel);
            return $"The app '{app}' runs as {(piku.Users.Of(app) is { IsOther: true } own ? $"the user {own.User}" : "piku")} now.";
        }
        catch (Exception wrong) when (wrong is UserError or IOException or UnauthorizedAccessException)
        {
            return $"The app '{app}' does not run, because its user is another now: {wrong.Message} 'deploy {app}' tries again.";
        }
    }

    /// <summary>Every deploy of ours leaves a folder for the app's state.</summary>
    private static bool IsUpstreams(Installation piku, AppName app) =>
        File.Exists(piku.Paths.LiveEnvFile(app)) && !Directory.Exists(piku.Paths.AppState(app));

    private static async Task<string> TakeOverAsync(Installation piku, AppName app, CancellationToken cancel)
    {
        if (IsStopped(piku, app))
        {
            piku.Apps.SetStopped(app, true);
            return $"The app '{app}' of an earlier piku is stopped, and stays so.";
        }
        try
        {
            await new Deployment(piku, app, new("piku"), DeployLog.Silent).TakeOverAsync(cancel);
            return $"Took over the app '{app}' of an earlier piku.";
        }
        catch (Exception wrong) when (wrong is UserError or IOException or UnauthorizedAccessException)
        {
            return $"The app '{app}' of an earlier piku is left as it was: {wrong.Message} 'deploy {app}' tries again.";
        }
    }

    /// <summary>Upstream stops an app by taking its vassals away; a site of files alone never has any.</summary>
    private static bool IsStopped(Installation piku, AppName app) =>
        piku.Vassals.Enabled(app).IsEmpty && piku.Apps.Scaling(app).Counts.Any(worker => worker is { Key: not "static", Value: > 0 });
}
