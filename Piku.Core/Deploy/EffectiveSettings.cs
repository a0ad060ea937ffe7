using Piku.Core.Formats;
using Piku.Core.Model;
using Piku.Core.Runtimes;

namespace Piku.Core.Deploy;

/// <summary>The values that settings have for an app in the end, whoever has set them. Reads only.</summary>
public sealed class EffectiveSettings(Installation piku, AppName app, Deployer by)
{
    /// <summary>
    /// The value with its references expanded: as ENV and config:set say now, or else as the app runs with; null for what
    /// nobody has set.
    /// </summary>
    /// <exception cref="UserError">A file of the app cannot be read.</exception>
    public async Task<string?> FindAsync(string name, CancellationToken cancel)
    {
        if (await piku.TreeOf(app).CurrentAsync(cancel) is null)
            return Expansion.Layer(EnvMap.Empty, piku.Apps.Config(app)).Find(name);
        var facts = await new FactsReader(piku, app, by).ReadWithoutTextsAsync(cancel);
        return facts.RepositoryEnv.Concat(facts.ConfigEnv).Any(setting => setting.Key == name)
            ? AppEnvironment.Create(facts).Variables.Find(name)
            : piku.Apps.LiveEnv(app)?.Find(name);
    }
}
