using Piku.Core.Deploy;
using Piku.Core.Formats;
using Piku.Core.Model;

namespace Piku.Server.Commands;

/// <summary>The settings of an app: config, config:get, config:set, config:unset, config:live.</summary>
internal static class ConfigVerbs
{
    public static async Task<int> ShowAsync(CommandCall call, CancellationToken cancel)
    {
        var app = call.App;
        var config = call.Piku.Apps.Config(app);
        await ShowAsync(call, config, cancel);
        if (config.Count == 0)
            await call.Streams.Error.LineAsync($"Nothing is set with config:set for '{app}'. {(IsDeployed(call) ? $"'config:live {app}' shows what it runs with." : "It is not deployed yet.")}", cancel);
        return 0;
    }

    public static async Task<int> LiveAsync(CommandCall call, CancellationToken cancel)
    {
        var app = call.App;
        if (call.Piku.Apps.LiveEnv(app) is { } live)
            await ShowAsync(call, live, cancel);
        else
            await call.Streams.Error.LineAsync($"App '{app}' is not deployed yet, so it has no environment.", cancel);
        return 0;
    }

    public static async Task<int> GetAsync(CommandCall call, CancellationToken cancel)
    {
        var name = call.Arguments[1];
        var value = await new EffectiveSettings(call.Piku, call.App, call.Deployer()).FindAsync(name, cancel);
        await call.SayAsync(value ?? throw new UserError($"'{name}' is not set for app '{call.App}'."), cancel);
        return 0;
    }

    public static async Task<int> SetAsync(CommandCall call, CancellationToken cancel)
    {
        await call.Deployment(call.App).ConfigureAsync(new([.. call.Arguments.Skip(1).Select(EnvFile.ParseArgument)], []), cancel);
        return 0;
    }

    public static async Task<int> UnsetAsync(CommandCall call, CancellationToken cancel)
    {
        await call.Deployment(call.App).ConfigureAsync(new([], [.. call.Arguments.Skip(1)]), cancel);
        return 0;
    }

    private static bool IsDeployed(CommandCall call) => call.Piku.StateOf(call.App) is not AppState.NotDeployed;

    private static async Task ShowAsync(CommandCall call, EnvMap settings, CancellationToken cancel)
    {
        var withValues = call.Caller.Rights.Has(Right.Deploy);
        foreach (var (name, value) in settings)
            await call.SayAsync(withValues ? $"{name}={value}" : name, cancel);
    }
}
