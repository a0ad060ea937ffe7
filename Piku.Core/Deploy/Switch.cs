using System.Net;
using System.Net.Sockets;
using Piku.Core.Formats;
using Piku.Core.Machine;
using Piku.Core.Model;
using Piku.Core.Nginx;
using Piku.Core.Services;
using Piku.Core.Settings;
using Piku.Core.Workers;

namespace Piku.Core.Deploy;

/// <summary>
/// The moment in which an app becomes another. Workers that answer requests come up beside those of the version
/// before, the others in their place; when all are up, nginx is pointed at the new ones. The version before goes on
/// until its <see cref="Retirement"/>, so that until then the way back is to point nginx at it again. Undoing is the
/// checkpoint's business.
/// </summary>
internal sealed class Switch(Installation piku, AppName app, DeployLog log)
{
    /// <summary>How long a command that serves nobody must run to count as started.</summary>
    private static readonly TimeSpan AliveFor = TimeSpan.FromMilliseconds(500);

    /// <summary>Lines of its log that a worker which dies leaves for the person who pushed it.</summary>
    private const int LastWords = 20;

    /// <summary>Of the log, in which those lines are looked for.</summary>
    private const int LastBytes = 64 * 1024;

    /// <summary>For a log to be written to its end.</summary>
    private const int MostLooks = 10;
    private static readonly TimeSpan LookPause = TimeSpan.FromMilliseconds(100);

    private readonly SiteCertificate _certificate = new(piku, app, log);

    /// <param name="isRestart">Somebody wants the workers anew, also those of an app that leaves them running at a deploy.</param>
    /// <returns>The file names of the vassals that are the app's from now on; others of it are to retire.</returns>
    /// <exception cref="UserError">nginx does not accept the site, or a worker does not come up.</exception>
    public async Task<IReadOnlyList<string>> ToAsync(LivePlan plan, CancellationToken cancel, bool isRestart = false)
    {
        foreach (var warning in plan.Warnings)
            await log.WarnAsync(warning, cancel);
        if (!isRestart && !plan.RestartsWorkers && piku.Vassals.Enabled(app) is { IsEmpty: false } running)
        {
            await log.StepAsync("The workers keep running as they are (PIKU_AUTO_RESTART); 'restart' starts the new version.", cancel);
            return running;
        }
        var site = plan.Site is null ? null : NginxDirective.Write(plan.Site.ToDirectives());
        if (plan.Site is not null)
        {
            _certificate.Ensure(plan.Site);
            await piku.Nginx.CheckSiteAsync(app, site!, cancel);
        }
        await StartAsync(plan, [.. plan.Vassals.Where(vassal => vassal.Serves)], cancel);
        await StartAsync(plan, [.. plan.Vassals.Where(vassal => !vassal.Serves)], cancel);
        piku.Apps.WriteLiveEnv(app, plan.LiveEnv);
        piku.Apps.WriteScaling(app, plan.Scaling);
        await piku.Nginx.ApplySiteAsync(app, site, cancel);
        if (site is not null && piku.RunsNginx)
            await piku.Nginx.RequireAsync(cancel);
        if (plan.Site is not null && await _certificate.ObtainAsync(plan.Site, plan.CertificateCalls, cancel))
            await piku.Nginx.ApplySiteAsync(app, site, cancel);
        if (plan.ClosedKind is { } kind)
            await log.StepAsync($"App '{app}' has no process of '{kind}', so nobody is answered{(site is null ? "" : " but with status 503")}; 'ps:scale {app} {kind}=1' starts one.", cancel);
        foreach (var url in plan.Urls)
            await log.StepAsync($"App '{app}' answers at {url}{(site is null ? $"; {NginxSettings.ServerName.Key} gives it a host name" : "")}", cancel);
        return [.. plan.Vassals.Select(vassal => vassal.FileName)];
    }

    /// <summary>Back to how it was, without waiting for what was there before to prove itself again.</summary>
    public async Task BackAsync(IReadOnlyDictionary<string, string> vassals, string? site, CancellationToken cancel)
    {
        await MakeWayAsync(piku.Vassals.Commands(app).Intersect(piku.Vassals.NotYet(app, vassals)), cancel);
        piku.Vassals.Restore(app, vassals);
        await piku.Emperor.TellAsync(cancel);
        if (AtomicFile.ReadIfExists(piku.Paths.NginxSite(app)) != site)
            await piku.Nginx.ApplySiteAsync(app, site, cancel);
        await new Retirement(piku, app, log).RunAsync([.. vassals.Keys], TimeSpan.Zero, cancel);
    }

    /// <summary>Stops all workers and waits until nothing is left of them, and of builds.</summary>
    /// <param name="withRuns">Also what people run beside them.</param>
    public async Task OffAsync(CancellationToken cancel, bool withRuns = false)
    {
        var names = piku.Vassals.Enabled(app).Select(file => Path.GetFileNameWithoutExtension(file)).ToList();
        piku.Vassals.Disable(app);
        await EndAsync(names, mark => withRuns || AppProcesses.IsOfVersion(mark), cancel);
        piku.Groups.Tidy();
    }

    /// <summary>
    /// Ends those of these vassals that run, so that others can come in their place. uWSGI starts the new command of a vassal
    /// that is reloaded when the shell of the old one is gone; what that shell has started may still have the port, and answer
    /// in place of the new command.
    /// </summary>
    /// <param name="files">Names of files.</param>
    private async Task MakeWayAsync(IEnumerable<string> files, CancellationToken cancel)
    {
        var names = files.Select(file => Path.GetFileNameWithoutExtension(file)).ToList();
        if (names.Count == 0)
            return;
        var marks = names.Select(name => piku.Vassals.MarkOf(name)).OfType<ProcessMark>().ToHashSet();
        names.ForEach(name => piku.Emperor.Remove(name));
        await EndAsync(names, marks.Contains, cancel);
    }

    private async Task EndAsync(IReadOnlyCollection<string> names, Func<ProcessMark, bool> which, CancellationToken cancel)
    {
        if (!await new AppProcesses(piku, app).EndAsync(names, which, cancel))
            await log.WarnAsync($"some processes of '{app}' do not end.", cancel);
    }

    private async Task StartAsync(LivePlan plan, IReadOnlyList<Workers.Vassal> vassals, CancellationToken cancel)
    {
        if (vassals.Count == 0)
            return;
        foreach (var vassal in vassals)
            await log.StepAsync($"Spawning '{app}:{vassal.Kind}.{vassal.Ordinal}'", cancel);
        var limit = TimeSpan.FromSeconds(AppSettings.HealthTimeout.In(plan.LiveEnv));
        await MakeWayAsync(InTheWayOf(vassals), cancel);
        var start = piku.Clock.GetTimestamp();
        var outOfMemory = vassals.ToDictionary(vassal => vassal.Name, vassal => piku.Groups.OutOfMemory(vassal.Name));
        var installed = piku.Vassals.Install(app, [.. vassals.Select(ForEmperor)]);
        var failures = await piku.Emperor.WaitUntilReadyAsync(installed, limit, cancel);
        if (failures.Count == 0)
            failures = await UnhealthyAsync(plan, vassals, limit - piku.Clock.GetElapsedTime(start), cancel);
        if (failures.Count == 0)
            return;
        foreach (var failure in failures)
            await ShowLastWordsAsync(vassals.First(vassal => vassal.Name == failure.Name), cancel);
        throw new UserError(string.Join(" ", failures.Select(failure => $"the worker {failure.Name} {failure.Reason}{Memory(failure.Name)}.{Advice(vassals.First(vassal => vassal.Name == failure.Name))}")));

        // A command that does its work and ends is no worker, and must not keep the app from being pushed.
        string Advice(Workers.Vassal vassal) => vassal.Probe is not Probe.Alive ? ""
            : $" If '{vassal.Kind}' is meant to end by itself, do not keep it running: "
            + (piku.Apps.Scaling(app).Counts.Any(pair => pair.Key == vassal.Kind) ? $"type 'ps:scale {app} {vassal.Kind}=0' first." : $"put the line '{vassal.Kind}:0' into a file SCALING beside the Procfile, and push again.");

        // Its log says nothing of that.
        string Memory(string vassal) => piku.Groups.OutOfMemory(vassal) <= outOfMemory[vassal] ? ""
            : $"; the kernel ended it for want of memory, of which {AppSettings.MemoryLimit.Key} is the limit";
    }

    /// <summary>
    /// Commands in whose place these come, and on a stand that is not free, whatever answered there under another name. What
    /// uWSGI itself serves is reloaded, and keeps its socket.
    /// </summary>
    private IEnumerable<string> InTheWayOf(IReadOnlyList<Workers.Vassal> vassals)
    {
        var names = vassals.Select(vassal => vassal.FileName).ToHashSet();
        var stands = vassals.Where(vassal => vassal.Serves).Select(vassal => vassal.Stand).ToHashSet();
        return piku.Vassals.Commands(app).Intersect(names)
            .Union(piku.Vassals.Serving(app).Where(file => !names.Contains(file) && stands.Contains(Stands.Of(Path.GetFileNameWithoutExtension(file)))));
    }

    /// <summary>Those that do not answer at PIKU_HEALTH_PATH as they should.</summary>
    private async Task<IReadOnlyList<VassalFailure>> UnhealthyAsync(
        LivePlan plan, IReadOnlyList<Workers.Vassal> vassals, TimeSpan within, CancellationToken cancel)
    {
        if (!AppSettings.HealthPath.TryIn(plan.LiveEnv, out var path))
            return [];
        var check = new HealthCheck(path, plan.Site is { } site ? HostPattern.Example(site.ServerNames[0]) : "localhost", piku.Clock);
        var problems = await Task.WhenAll(
            from vassal in vassals
            let address = AddressOf(vassal.Probe)
            where address is not null
            select ProblemAsync(vassal, address));
        return [.. problems.OfType<VassalFailure>()];

        async Task<VassalFailure?> ProblemAsync(Workers.Vassal vassal, EndPoint address) =>
            await check.ProblemAsync(address, within, cancel) is { } problem ? new(vassal.Name, problem) : null;
    }

    private async Task ShowLastWordsAsync(Workers.Vassal vassal, CancellationToken cancel)
    {
        var lines = (await SettledAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (lines.Length > 0)
            await log.StepAsync($"The last lines of {vassal.Kind}.{vassal.Ordinal}'s log:", cancel);
        foreach (var line in lines.TakeLast(LastWords))
            await log.LineAsync("       " + line, cancel);

        // What it said last may still be on its way through the pipe.
        async Task<string> SettledAsync()
        {
            var text = Read();
            for (var look = 0; look < MostLooks; look++)
            {
                await Task.Delay(LookPause, piku.Clock, cancel);
                if (Read() is var now && now == text)
                    break;
                text = now;
            }
            return text;
        }

        string Read()
        {
            var text = End(vassal.LogFile);
            // It may just have been begun anew.
            return text.Count(letter => letter == '\n') < LastWords ? End(vassal.LogFile + LogPipe.Full) + text : text;
        }

        string End(string file) => Owner.Around(file).Do(() => AtomicFile.ReadEndIfExists(file, LastBytes)) ?? "";
    }

    private static Services.Vassal ForEmperor(Workers.Vassal vassal) => new(vassal.Name, vassal.Settings, vassal.Probe switch
    {
        // uWSGI itself takes these connections, also those of php on a port.
        Probe.UnixSocket => new Readiness.Accepting(),
        Probe.Tcp when vassal.Kind is not "web" => new Readiness.Accepting(),
        Probe.Tcp => new Readiness.Listening((IPEndPoint)AddressOf(vassal.Probe)!),
        Probe.Alive => new Readiness.Running(AliveFor),
        _ => new Readiness.Started(),
    })
    {
        LimitScript = vassal.LimitScript,
    };

    private static EndPoint? AddressOf(Probe probe) => probe switch
    {
        Probe.UnixSocket { Path: var path } => new UnixDomainSocketEndPoint(path),
        Probe.Tcp { Host: var host, Port: var port } => new IPEndPoint(IPAddress.TryParse(host, out var address) ? address : IPAddress.Loopback, port),
        _ => null,
    };
}
