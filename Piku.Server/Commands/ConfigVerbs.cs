using Piku.Core.Formats;
using Piku.Core.Model;

namespace Piku.Server.Commands;

/// <summary>The settings of an app: config, config:get, config:set, config:unset, config:live.</summary>
internal static class ConfigVerbs
{
    public static async Task<int> ShowAsync(CommandCall call, CancellationToken cancel)
    {
        var app = call.App;
        if (call.Piku.Apps.HasConfig(app))
            await ShowAsync(call, call.Piku.Apps.Config(app), cancel);
        else
            await call.SayAsync($"Warning: app '{app}' not deployed, no config found.", cancel);
        return 0;
    }

    public static async Task<int> LiveAsync(CommandCall call, CancellationToken cancel)
    {
        var app = call.App;
        if (call.Piku.Apps.LiveEnv(app) is { } live)
            await ShowAsync(call, live, cancel);
        else
            await call.SayAsync($"Warning: app '{app}' not deployed, no config found.", cancel);
        return 0;
    }

    public static async Task<int> GetAsync(CommandCall call, CancellationToken cancel)
    {
        var settings = Expansion.Layer(EnvMap.Empty, call.Piku.Apps.Config(call.App));
        var name = call.Arguments[1];
        await call.SayAsync(settings.Find(name) ?? throw new UserError($"'{name}' is not set for app '{call.App}'."), cancel);
        return 0;
    }

    public static async Task<int> SetAsync(CommandCall call, CancellationToken cancel)
    {
        var settings = call.Arguments.Skip(1).Select(EnvFile.ParseSetting).ToList();
        await call.Deployment(call.App).ConfigureAsync(config => config.WithAll(settings), cancel);
        return 0;
    }

    public static async Task<int> UnsetAsync(CommandCall call, CancellationToken cancel)
    {
        await call.Deployment(call.App).ConfigureAsync(
            config => call.Arguments.Skip(1).Aggregate(config, (rest, name) => rest.Without(name)), cancel);
        return 0;
    }

    private static async Task ShowAsync(CommandCall call, EnvMap settings, CancellationToken cancel)
    {
        var withValues = call.Caller.Rights.Has(Right.Deploy);
        foreach (var (name, value) in settings)
            await call.SayAsync(withValues ? $"{name}={value}" : name, cancel);
    }
}
