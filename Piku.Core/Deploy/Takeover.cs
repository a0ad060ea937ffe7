using System.Runtime.CompilerServices;
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

    /// <summary>True for workers that are to run as another user than they were started for, because <c>apps.users</c> has changed.</summary>
    private static bool HasOtherUser(Installation piku, AppName app) =>
        piku.Vassals.UserOf(app) is { } user && user != (piku.Users.Of(app) is { IsOther: true } own ? $"{own.User}" : piku.Host.User);

    private static async Task<string> ChangeUserAsync(Installation piku, AppName app, CancellationToken cancel)
    {
        try
        {
            await new Deployment(piku, app, new("piku"), DeployLog.Silent).TakeOverAsync(cancel);
            return $"The app '{app}' runs as the user {piku.Users.Of(app).User} now.";
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
