using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Piku.Core.Machine;
using Piku.Core.Model;
using Piku.Core.Nginx;

namespace Piku.Core.Deploy;

/// <summary>An app that was deployed when the installation was elsewhere.</summary>
/// <param name="From">The folder of its data then; null when only nginx's ports were others.</param>
public sealed record RelocatedApp(AppName App, string? From);

/// <summary>
/// At the start of a daemon whose ports for http and https are others than at the last, or whose whole folder has been
/// brought here from another path: sites and workers name both. Each app that runs is started again by today's plans; one
/// that is stopped stays so.
/// </summary>
public static class Relocation
{
    /// <summary>
    /// Before emperor and nginx start: nobody is to be served at ports that are no more, or run in a folder that may still be
    /// there and be another installation's.
    /// </summary>
    /// <returns>The apps that are to be started again when both run.</returns>
    public static ImmutableArray<RelocatedApp> Prepare(Installation piku, int httpPort, int httpsPort)
    {
        var relocated = ImmutableArray.CreateBuilder<RelocatedApp>();
        // Upstream's have no state of ours, and are taken over.
        foreach (var app in piku.Apps.All().Where(app => Directory.Exists(piku.Paths.AppState(app))))
        {
            if (FolderBefore(piku, app) is { } folder)
            {
                piku.Vassals.Disable(app);
                AtomicFile.Delete(piku.Paths.NginxSite(app));
                relocated.Add(new(app, folder));
            }
            else if (AtomicFile.ReadIfExists(piku.Paths.NginxSite(app)) is { } site && SitePorts.Move(site, httpPort, httpsPort) is { } moved)
            {
                AtomicFile.Write(piku.Paths.NginxSite(app), moved, piku.Paths.HasAppUsers ? AtomicFile.Secret : AtomicFile.Readable);
                relocated.Add(new(app, null));
            }
        }
        return relocated.ToImmutable();
    }

    /// <returns>What has become of each app, as it happens.</returns>
    public static async IAsyncEnumerable<string> RunAsync(Installation piku, IEnumerable<RelocatedApp> apps, [EnumeratorCancellation] CancellationToken cancel)
    {
        foreach (var app in apps.Where(each => !piku.Apps.IsStopped(each.App)))
            yield return app.From is { } folder ? await MoveAsync(piku, app.App, folder, cancel) : await RestartAsync(piku, app.App, cancel);
    }

    private static async Task<string> MoveAsync(Installation piku, AppName app, string from, CancellationToken cancel)
    {
        try
        {
            await piku.TreeOf(app).FollowRepositoryAsync(cancel);
            await new Deployment(piku, app, new("piku"), DeployLog.Silent).TakeOverAsync(cancel);
            return $"The app '{app}' now runs in {piku.Paths.Root}; its data was in {from}. If a program of its dependencies is not found, 'deploy {app} --rebuild' installs them anew.";
        }
        catch (Exception wrong) when (wrong is UserError or IOException or UnauthorizedAccessException)
        {
            return $"The app '{app}' does not run after its move to {piku.Paths.Root}: {wrong.Message} 'deploy {app} --rebuild' tries again.";
        }
    }

    private static async Task<string> RestartAsync(Installation piku, AppName app, CancellationToken cancel)
    {
        try
        {
            await new Deployment(piku, app, new("piku"), DeployLog.Silent).RestartAsync(cancel);
            return $"The site of '{app}' has moved to the new ports.";
        }
        catch (Exception wrong) when (wrong is UserError or IOException or UnauthorizedAccessException)
        {
            return $"The app '{app}' could not be restarted for the new ports: {wrong.Message} 'restart {app}' tries again.";
        }
    }

    /// <summary>Where the app's data was when it was deployed; null when that is where it is now.</summary>
    private static string? FolderBefore(Installation piku, AppName app) =>
        piku.Apps.ReadableLiveEnv(app)?.Find("DATA_ROOT") is { } data && data != piku.Paths.AppData(app) ? data : null;
}
