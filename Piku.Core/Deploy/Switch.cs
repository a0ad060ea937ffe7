using System.Net;
using Piku.Core.Formats;
using Piku.Core.Machine;
using Piku.Core.Model;
using Piku.Core.Services;
using Piku.Core.Settings;
using Piku.Core.Workers;

namespace Piku.Core.Deploy;

/// <summary>
/// The moment in which an app becomes another: its environment, vassals and site are written, and we wait until
/// what they describe is up. Undoing it is the checkpoint's business.
/// </summary>
internal sealed class Switch(Installation piku, AppName app, DeployLog log)
{
    /// <summary>For workers to come up: what a slow card needs to load a large application, several times over.</summary>
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    /// <summary>For workers to go: longer than uWSGI gives its own (60 s would be its reload-mercy; vassals get SIGKILL before).</summary>
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(30);

    /// <summary>How long a command that serves nobody must run to count as started.</summary>
    private static readonly TimeSpan AliveFor = TimeSpan.FromMilliseconds(500);

    /// <summary>Lines of its log that a worker which dies leaves for the person who pushed it.</summary>
    private const int LastWords = 20;

    private readonly SiteCertificate _certificate = new(piku, app, log);

    /// <exception cref="UserError">nginx does not accept the site, or a worker does not come up.</exception>
    public async Task ToAsync(LivePlan plan, CancellationToken cancel)
    {
        foreach (var warning in plan.Warnings)
            await log.WarnAsync(warning, cancel);
        var site = plan.Site is null ? null : NginxDirective.Write(plan.Site.ToDirectives());
        if (plan.Site is not null)
        {
            _certificate.Ensure(plan.Site);
            await piku.Nginx.CheckSiteAsync(app, site!, cancel);
        }
        WriteEnvironment(plan);
        await StartAsync(plan, cancel);
        await piku.Nginx.ApplySiteAsync(app, site, cancel);
        if (plan.Site is not null && await _certificate.ObtainAsync(plan.Site, plan.CertificateCalls, cancel))
            await piku.Nginx.ApplySiteAsync(app, site, cancel);
        foreach (var url in plan.Urls)
            await log.StepAsync($"App '{app}' answers at {url}{(site is null ? $"; {NginxSettings.ServerName.Key} gives it a host name" : "")}", cancel);
    }

    /// <summary>Back to how it was, without waiting for what was there before to prove itself again.</summary>
    public async Task BackAsync(IReadOnlyDictionary<string, string> vassals, string? site, CancellationToken cancel)
    {
        piku.Vassals.Restore(app, vassals);
        await piku.Emperor.TellAsync(cancel);
        if (AtomicFile.ReadIfExists(piku.Paths.NginxSite(app)) != site)
            await piku.Nginx.ApplySiteAsync(app, site, cancel);
    }

    /// <summary>Stops all workers and waits until they are gone.</summary>
    public async Task OffAsync(CancellationToken cancel)
    {
        var names = piku.Vassals.Enabled(app).Select(file => Path.GetFileNameWithoutExtension(file)).ToList();
        piku.Vassals.Disable(app);
        if (!await piku.Emperor.WaitUntilGoneAsync(names, StopLimit, cancel))
            await log.WarnAsync($"some workers of '{app}' are still ending.", cancel);
    }

    private async Task StartAsync(LivePlan plan, CancellationToken cancel)
    {
        if (!plan.RestartsWorkers && piku.Vassals.Enabled(app).Length > 0)
        {
            await log.StepAsync("The workers keep running as they are (PIKU_AUTO_RESTART); 'restart' starts the new version.", cancel);
            return;
        }
        foreach (var vassal in plan.Vassals)
            await log.StepAsync($"Spawning '{app}:{vassal.Kind}.{vassal.Ordinal}'", cancel);
        var installed = piku.Vassals.Replace(app, [.. plan.Vassals.Select(ForEmperor)]);
        var failures = await piku.Emperor.WaitUntilReadyAsync(installed, StartLimit, cancel);
        if (failures.Count == 0)
            return;
        foreach (var failure in failures)
            await ShowLastWordsAsync(plan.Vassals.First(vassal => NameOf(vassal) == failure.Name), cancel);
        throw new UserError(string.Join(" ", failures.Select(failure => $"the worker {failure.Name} {failure.Reason}.")));
    }

    private async Task ShowLastWordsAsync(Workers.Vassal vassal, CancellationToken cancel)
    {
        var lines = (AtomicFile.ReadIfExists(vassal.LogFile) ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (lines.Length > 0)
            await log.StepAsync($"The last lines of {vassal.Kind}.{vassal.Ordinal}'s log:", cancel);
        foreach (var line in lines.TakeLast(LastWords))
            await log.LineAsync("       " + line, cancel);
    }

    private void WriteEnvironment(LivePlan plan)
    {
        AtomicFile.Write(piku.Paths.LiveEnvFile(app), EnvFile.Write(plan.LiveEnv), AtomicFile.Secret);
        piku.Apps.WriteScaling(app, plan.Scaling);
    }

    private static Services.Vassal ForEmperor(Workers.Vassal vassal) => new(NameOf(vassal), vassal.Settings, vassal.Probe switch
    {
        // uWSGI itself takes these connections, also those of php on a port.
        Probe.UnixSocket => new Readiness.Accepting(),
        Probe.Tcp when vassal.Kind is not "web" => new Readiness.Accepting(),
        Probe.Tcp { Host: var host, Port: var port } =>
            new Readiness.Listening(new(IPAddress.TryParse(host, out var address) ? address : IPAddress.Loopback, port)),
        Probe.Alive => new Readiness.Running(AliveFor),
        _ => new Readiness.Started(),
    });

    private static string NameOf(Workers.Vassal vassal) => Path.GetFileNameWithoutExtension(vassal.FileName);
}
