using Piku.Core.Deploy;
using Piku.Core.Model;

namespace Piku.Server.Commands;

/// <summary>The life of an app: apps, deploy, restart, stop, destroy.</summary>
internal static class AppVerbs
{
    public static async Task<int> ListAsync(CommandCall call, CancellationToken cancel)
    {
        var apps = new List<AppName>();
        foreach (var app in call.Piku.Apps.All().Where(call.Caller.Rights.MaySee))
        {
            if (await IsWorthTellingAsync(call.Piku, app, cancel))
                apps.Add(app);
        }
        if (apps.Count == 0)
            await call.SayAsync("There are no applications deployed.", cancel);
        foreach (var app in apps)
            await call.SayAsync(Line(call.Piku, app), cancel);
        return 0;
    }

    public static async Task<int> DeployAsync(CommandCall call, CancellationToken cancel)
    {
        var app = call.App;
        await call.Deployment(app).RedeployAsync(call.Option("--rebuild") is not null, cancel);
        return 0;
    }

    public static async Task<int> RestartAsync(CommandCall call, CancellationToken cancel)
    {
        await call.Deployment(call.App).RestartAsync(cancel);
        return 0;
    }

    public static async Task<int> StopAsync(CommandCall call, CancellationToken cancel)
    {
        await call.Deployment(call.App).StopAsync(cancel);
        return 0;
    }

    public static async Task<int> DestroyAsync(CommandCall call, CancellationToken cancel)
    {
        await call.Deployment(call.App).DestroyAsync(cancel);
        return 0;
    }

    /// <summary>False for what a rejected first push has left: its log, and no version that could be deployed.</summary>
    private static async Task<bool> IsWorthTellingAsync(Installation piku, AppName app, CancellationToken cancel) =>
        piku.StateOf(app) is not AppState.NotDeployed || piku.Apps.HasSettings(app) || await piku.RepositoryOf(app).HasRefsAsync(cancel);

    private static string Line(Installation piku, AppName app) => piku.StateOf(app) switch
    {
        AppState.Running => $"*{app}",
        AppState.Stopped => $" {app} (stopped)",
        _ => $" {app} (not deployed)",
    };
}
