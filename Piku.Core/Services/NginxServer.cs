using Piku.Core.Formats;
using Piku.Core.Machine;
using Piku.Core.Model;
using Piku.Core.Nginx;

namespace Piku.Core.Services;

/// <summary>A site that nginx does not accept, and what it says.</summary>
public sealed record BrokenSite(string Path, string Message);

/// <summary>
/// The nginx of an installation, whoever runs it. A site is tried together with all others before it is written, so
/// a crash at any moment leaves files that nginx accepts; and what has become unacceptable since is left out, so
/// that one site's trouble never is another's. Works from any process of the installation's user.
/// </summary>
/// <param name="environment">For running nginx: a PATH.</param>
public sealed class NginxServer(PikuPaths paths, EnvMap environment, TimeProvider clock)
{
    /// <summary>A reload takes nginx a little over 100 ms; far longer only when it has refused it.</summary>
    private static readonly TimeSpan ReloadTimeout = TimeSpan.FromSeconds(10);

    /// <summary>One that was killed is back within a second; the pauses between failing starts grow beyond this.</summary>
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(10);

    private readonly NginxFiles _files = new(paths);
    private readonly NginxMaster _master = new(new(paths), clock);

    /// <summary>
    /// Gives an app its site, or with null none, and returns when nginx serves accordingly. If nginx does not run,
    /// the site waits for it.
    /// </summary>
    /// <returns>Sites of others that had to be left out; for the log.</returns>
    /// <exception cref="UserError">nginx does not accept the site; everything is as it was.</exception>
    public async Task<IReadOnlyList<BrokenSite>> ApplySiteAsync(AppName app, string? site, CancellationToken cancellationToken)
    {
        using var only = await LockAsync($"site of {app}", cancellationToken);
        var path = paths.NginxSite(app);
        var others = SitesOnDisk().Where(other => other != path).ToList();
        var (accepted, broken) = await TryAsync(app, site, others, cancellationToken);
        var before = AtomicFile.ReadIfExists(path);
        Write(path, site, accepted);
        try
        {
            await _master.ReloadAsync(ReloadTimeout, cancellationToken);
        }
        catch (Exception failure)
        {
            Write(path, before, before is null ? others : [.. others, path]);
            _master.Hangup();
            if (failure is UserError refused && NginxMessage.OccupiedAddress(refused.Message, site ?? "") is { } occupied)
                throw new UserError($"nginx does not accept the site of {app}: {occupied}", failure);
            throw;
        }
        return broken;
    }

    /// <summary>Lets the site of an app that is stopped answer 503. An app without a site stays without.</summary>
    /// <exception cref="UserError">nginx does not accept it.</exception>
    public async Task CloseSiteAsync(AppName app, CancellationToken cancellationToken)
    {
        if (AtomicFile.ReadIfExists(paths.NginxSite(app)) is { } site)
            await ApplySiteAsync(app, NginxDirective.Write(ClosedSite.Of(NginxDirective.Parse(site))), cancellationToken);
    }

    /// <summary>Says whether nginx would accept a site, and changes nothing.</summary>
    /// <exception cref="UserError">It would not.</exception>
    public async Task CheckSiteAsync(AppName app, string site, CancellationToken cancellationToken)
    {
        using var only = await LockAsync($"site of {app}", cancellationToken);
        await TryAsync(app, site, [.. SitesOnDisk().Where(other => other != paths.NginxSite(app))], cancellationToken);
    }

    /// <summary>
    /// Lists the sites that nginx accepts in the file that its configuration includes; for its start.
    /// </summary>
    /// <returns>Those left out; for the log.</returns>
    public async Task<IReadOnlyList<BrokenSite>> ListGoodSitesAsync(CancellationToken cancellationToken)
    {
        using var only = await LockAsync("start of nginx", cancellationToken);
        return await ListAsync(cancellationToken);
    }

    /// <summary>Has nginx load what has changed in files that its sites name, such as certificates.</summary>
    /// <returns>Sites that had to be left out; for the log.</returns>
    /// <exception cref="UserError">nginx has kept its old configuration.</exception>
    public async Task<IReadOnlyList<BrokenSite>> ReloadAsync(CancellationToken cancellationToken)
    {
        using var only = await LockAsync("reload of nginx", cancellationToken);
        var broken = await ListAsync(cancellationToken);
        await _master.ReloadAsync(ReloadTimeout, cancellationToken);
        return broken;
    }

    /// <summary>When a site was changed last, UTC.</summary>
    public DateTime Changed => File.GetLastWriteTimeUtc(_files.SiteList);

    /// <summary>Waits for an nginx that is just being started again.</summary>
    /// <exception cref="UserError">It is not.</exception>
    public async Task RequireAsync(CancellationToken cancellationToken)
    {
        if (!await _master.WaitUntilRunsAsync(StartTimeout, cancellationToken))
            throw new UserError($"nginx does not run, so nobody would be answered: {_files.Log} says why.");
    }

    /// <inheritdoc cref="NginxMaster.HasOldWorkers"/>
    public bool HasOldWorkers() => _master.HasOldWorkers();

    private async Task<List<BrokenSite>> ListAsync(CancellationToken cancellationToken)
    {
        var broken = new List<BrokenSite>();
        WriteList(_files.SiteList, await SelectAsync([], SitesOnDisk(), broken, cancellationToken));
        return broken;
    }

    private Task<FileLock> LockAsync(string purpose, CancellationToken cancellationToken) =>
        FileLock.AcquireAsync(_files.Lock, purpose, clock, waiting: null, cancellationToken);

    private async Task<(IReadOnlyList<string> Accepted, IReadOnlyList<BrokenSite> Broken)> TryAsync(
        AppName app, string? site, IReadOnlyList<string> others, CancellationToken cancellationToken)
    {
        var broken = new List<BrokenSite>();
        if (site is null)
            return (await SelectAsync([], others, broken, cancellationToken), broken);
        AtomicFile.Write(_files.CandidateSite, site, AtomicFile.Secret);
        var refusal = await TestAsync([.. others, _files.CandidateSite], cancellationToken);
        if (refusal is not null)
        {
            others = await SelectAsync([], others, broken, cancellationToken);
            if (broken.Count == 0 || await TestAsync([.. others, _files.CandidateSite], cancellationToken) is not null)
                throw new UserError($"nginx does not accept the site of {app}: {Explain(refusal, app, site)}");
        }
        return (InOrder([.. others, paths.NginxSite(app)], app, site), broken);
    }

    /// <summary>
    /// The sites that can be served together with those already chosen. All at once is tried first, then by halves:
    /// a few broken ones among hundreds take a few dozen tries.
    /// </summary>
    private async Task<IReadOnlyList<string>> SelectAsync(
        IReadOnlyList<string> chosen, IReadOnlyList<string> sites, List<BrokenSite> broken, CancellationToken cancellationToken)
    {
        if (sites.Count == 0 || await TestAsync([.. chosen, .. sites], cancellationToken) is not { } refusal)
            return [.. chosen, .. sites];
        if (sites.Count == 1)
        {
            broken.Add(new(sites[0], refusal));
            return chosen;
        }
        var half = sites.Count / 2;
        chosen = await SelectAsync(chosen, [.. sites.Take(half)], broken, cancellationToken);
        return await SelectAsync(chosen, [.. sites.Skip(half)], broken, cancellationToken);
    }

    /// <summary>What nginx has against these sites; null when it accepts them.</summary>
    private async Task<string?> TestAsync(IReadOnlyList<string> sites, CancellationToken cancellationToken)
    {
        var config = AtomicFile.ReadIfExists(_files.Config)
            ?? throw new UserError("nginx has no configuration yet: start piku once, it writes one.");
        WriteList(_files.CandidateList, sites);
        AtomicFile.Write(
            _files.CandidateConfig, config.Replace(_files.SiteList, _files.CandidateList, StringComparison.Ordinal), AtomicFile.Secret);
        var run = await ChildProcess.CaptureAsync(
            new() { Program = "nginx", Arguments = ["-t", "-c", _files.CandidateConfig], Folder = "/", Environment = environment },
            cancellationToken);
        return run.Status.Succeeded ? null : NginxMessage.Read(run.Error) ?? run.Status.ToString();
    }

    private void Write(string path, string? site, IEnumerable<string> sites)
    {
        // A list never names a file that is not there.
        if (site is not null)
            // In it are values of the app's settings, which other apps' users must not read.
            AtomicFile.Write(path, site, paths.HasAppUsers ? AtomicFile.Secret : AtomicFile.Readable);
        WriteList(_files.SiteList, sites);
        if (site is null)
            AtomicFile.Delete(path);
    }

    private static void WriteList(string path, IEnumerable<string> sites) =>
        AtomicFile.Write(path, NginxDirective.Write(sites.Select(site => NginxDirective.Of("include", site))), AtomicFile.Secret);

    private string Explain(string refusal, AppName app, string site) =>
        NginxMessage.OccupiedAddress(refusal, site) ?? $"{NginxMessage.WithOrigin(refusal, _files.CandidateSite, site, paths.NginxSite(app))}.";

    private List<string> SitesOnDisk() => InOrder(Directory.EnumerateFiles(paths.NginxRoot, "*.conf").Where(IsSite));

    /// <summary>A site that answers to every name comes after all others: nginx takes the first pattern that fits.</summary>
    private List<string> InOrder(IEnumerable<string> sites, AppName? changed = null, string? text = null) =>
    [
        .. from path in sites.Order(StringComparer.Ordinal)
           let site = changed is not null && path == paths.NginxSite(changed) ? text : AtomicFile.ReadIfExists(path)
           orderby site?.Contains($" {HostPattern.AnyPattern};", StringComparison.Ordinal) ?? false
           select path,
    ];

    private static bool IsSite(string path) => !Path.GetFileName(path).StartsWith('.');
}
