using Piku.Core.Formats;
using Piku.Core.Model;
using Piku.Core.Settings;
using Piku.Core.Workers;

namespace Piku.Core.Deploy;

/// <summary>Changes of settings and scaling, which deploy no more than they must.</summary>
public sealed partial class Deployment
{
    /// <summary>
    /// Changes the settings, and deploys again unless nothing changes, or the app is stopped or was never deployed (D25). Both
    /// in one turn of the queue, and in one transaction.
    /// </summary>
    /// <exception cref="UserError">A value is none of its setting's, or the deploy failed: the settings are as they were.</exception>
    public async Task ConfigureAsync(SettingsChange wish, CancellationToken cancel)
    {
        var before = EnvMap.Empty;
        List<string> changed = [];
        try
        {
            await AgainAsync("config", () => piku.Apps.WriteConfig(app, wish.Apply(before)), ChooseAsync, new(), cancel);
        }
        catch (NothingToDeploy)
        {
            // It was said.
        }
        catch (UserError failure) when (changed.Count > 0 && piku.Apps.Config(app).Equals(before))
        {
            throw new UserError($"{failure.Message} The settings are as they were.", failure);
        }

        async Task<Goal> ChooseAsync()
        {
            before = piku.Apps.Config(app);
            RefuseWrong(before, wish.Apply(before));
            foreach (var sentence in wish.Idle(before))
                await log.LineAsync(sentence, cancel);
            string[] set = [.. wish.Changed(before)], unset = [.. wish.Removed(before)];
            foreach (var name in set)
                await log.LineAsync($"Setting {name} for '{app}'", cancel);
            foreach (var name in unset)
                await log.LineAsync($"Unsetting {name} for '{app}'", cancel);
            changed = [.. set, .. unset];
            if (changed.Count == 0)
            {
                await log.StepAsync($"Nothing has changed, so '{app}' is not deployed.", cancel);
                throw new NothingToDeploy();
            }
            if (await IsRunningAsync(cancel))
                return new(await CheckedOutAsync(cancel)) { Release = $"config: {string.Join(' ', changed)}", ChangesSettings = true };
            piku.Apps.WriteConfig(app, wish.Apply(before));
            throw new NothingToDeploy();
        }
    }

    /// <summary>A value that refers to others means nothing until the app is deployed, and is judged then.</summary>
    private static void RefuseWrong(EnvMap before, EnvMap after)
    {
        var complaints = from pair in after
                         where before.Find(pair.Key) != pair.Value && !pair.Value.Contains('$', StringComparison.Ordinal)
                         let setting = SettingTable.Find(pair.Key)
                         where setting is { IsForgiving: false }
                         select setting.Complaint(after);
        if (complaints.OfType<string>().FirstOrDefault() is { } complaint)
            throw new UserError($"{complaint} Nothing is set.");
    }

    /// <summary>
    /// Changes how many processes run of each kind, at once unless the app does not run: nothing is built for it, and so
    /// nobody else's build is waited for.
    /// </summary>
    /// <exception cref="UserError">The new processes did not start; the scaling is as it was.</exception>
    public async Task ScaleAsync(ScaleChange wish, CancellationToken cancel)
    {
        var after = Scaling.Default;
        var reader = new FactsReader(piku, app, by);
        try
        {
            await using var version = await GuardedAsync("scale", isPush: false, ChooseAsync, async (_, _, turn) =>
            {
                piku.Apps.WriteScaling(app, after);
                await _hooks.AskAsync("pre-deploy", turn.Cancelled);
                var vassals = await _switch.ToAsync(LivePlan.Create(await reader.ReadAsync(turn.Cancelled)), turn.Cancelled);
                await _hooks.TellAsync("post-deploy", turn.Cancelled);
                return vassals;
            }, cancel);
            await version.KeepAsync(log);
        }
        catch (NothingToDeploy)
        {
            // It was said.
        }

        async Task<Goal> ChooseAsync()
        {
            var before = piku.Apps.Scaling(app);
            after = wish.Apply(before, app, isDeployed: piku.StateOf(app) is not AppState.NotDeployed);
            if (!await IsRunningAsync(cancel))
            {
                piku.Apps.WriteScaling(app, after);
                await log.StepAsync($"The next start of '{app}' has that scaling.", cancel);
                throw new NothingToDeploy();
            }
            var facts = await reader.ReadAsync(cancel);
            if (Needs.Between(facts, facts with { Scaling = after }) is not Need.Nothing)
                return new(await CheckedOutAsync(cancel)) { Release = "scale" };
            await log.StepAsync($"Nothing has changed: {string.Join(", ", wish.Counts.Select(pair => $"{pair.Key}={pair.Value}"))} is how '{app}' runs already.", cancel);
            throw new NothingToDeploy();
        }
    }
}
