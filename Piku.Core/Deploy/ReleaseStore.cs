using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Piku.Core.Apps;
using Piku.Core.Git;
using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Core.Deploy;

/// <summary>
/// The releases of an app, on disk: one folder each, with its facts, all that the deploy said, and the settings and
/// scaling that it ran with. Written under the app's lock; read by anybody, at any time.
/// </summary>
public sealed class ReleaseStore(PikuPaths paths, AppName app, TimeProvider clock)
{
    /// <summary>Said of a release whose end nobody has seen.</summary>
    public const string Interrupted = "the server stopped before the deploy was done.";

    private const string FactsFile = "facts.json";

    /// <summary>Newest first.</summary>
    public ImmutableArray<Release> All() => [.. Numbers().OrderDescending().Select(Find).OfType<Release>()];

    /// <summary>The release of that number; null when there is none, or no more.</summary>
    public Release? Find(int number) => AtomicFile.ReadIfExists(FileOf(number, FactsFile)) is { } text
        ? JsonSerializer.Deserialize(text, ReleaseJson.Default.Release)
        : null;

    /// <summary>The one that runs, or ran when the app was stopped: the last that succeeded.</summary>
    public Release? Live() => All().FirstOrDefault(release => release.Succeeded);

    /// <summary>
    /// The good release before the one that runs. After a rollback that is the one before the release which it brought
    /// back, and not the one that it was to get away from.
    /// </summary>
    public Release? Previous()
    {
        var all = All();
        return all.FirstOrDefault(release => release.Succeeded) is not { } live ? null
            : all.FirstOrDefault(release => release.Succeeded && release.Number < Origin(live));

        int Origin(Release release) => release.BackTo is not { } number ? release.Number
            : all.FirstOrDefault(other => other.Number == number) is { } earlier ? Origin(earlier) : number;
    }

    /// <summary>All that the deploy said.</summary>
    public string LogFile(int number) => FileOf(number, "log");

    /// <summary>The settings made with config:set that the release ran with.</summary>
    public string EnvFile(int number) => FileOf(number, "ENV");

    public string ScalingFile(int number) => FileOf(number, "SCALING");

    /// <summary>Numbers a new release. The highest is never pruned, so that none is given twice.</summary>
    /// <exception cref="UserError">The disk is full.</exception>
    internal Release Begin(string purpose, DeployTarget target, Deployer by, int? backTo = null)
    {
        var release = new Release(Numbers().DefaultIfEmpty().Max() + 1, purpose, target.Branch, target.Commit, by.Name, clock.GetUtcNow()) { BackTo = backTo };
        Directory.CreateDirectory(FolderOf(release.Number));
        Write(release);
        return release;
    }

    internal void Write(Release release) => AtomicFile.Write(
        FileOf(release.Number, FactsFile), JsonSerializer.Serialize(release, ReleaseJson.Default.Release), AtomicFile.Secret);

    /// <summary>Keeps what the app is configured with now, for whoever wants this release back.</summary>
    /// <exception cref="UserError">The disk is full.</exception>
    internal void SaveSettings(int number)
    {
        AtomicFile.Write(EnvFile(number), ContentOf(paths.EnvFile(app)), AtomicFile.Secret);
        AtomicFile.Write(ScalingFile(number), ContentOf(paths.ScalingFile(app)), AtomicFile.Secret);

        byte[] ContentOf(string file) => AppUsers.Of(paths, app).Do(() => AtomicFile.ReadBytesIfExists(file)) ?? [];
    }

    /// <summary>Notes the end of one whose end nobody has seen, but which has succeeded.</summary>
    internal void EndWell(int number)
    {
        if (Find(number) is { Succeeded: false } release)
            Write(release with { Outcome = ReleaseOutcome.Succeeded, Reason = null });
    }

    /// <summary>Ends those that an earlier process has left running. Only for who holds the app's lock, and runs none.</summary>
    internal void EndInterrupted()
    {
        foreach (var release in All().Where(release => release.Outcome is ReleaseOutcome.Running))
        {
            using (var log = new ReleaseLog(LogFile(release.Number)))
                log.WriteLast($"Error: {Interrupted}\n");
            Write(release with { Outcome = ReleaseOutcome.Failed, Reason = Interrupted });
        }
    }

    /// <summary>Removes the oldest, but never the live one or the last good one before it.</summary>
    /// <param name="keep">How many stay.</param>
    internal void Prune(int keep)
    {
        var good = All().Where(release => release.Succeeded).Take(2).Select(release => release.Number).ToList();
        foreach (var number in Numbers().OrderDescending().Skip(keep).Except(good))
            WholeFolder.Remove(FolderOf(number));
    }

    private List<int> Numbers() => !Directory.Exists(paths.Releases(app)) ? [] :
        [.. new DirectoryInfo(paths.Releases(app)).EnumerateDirectories()
            .Select(folder => int.TryParse(folder.Name, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0)
            .Where(number => number > 0)];

    private string FolderOf(int number) => Path.Combine(paths.Releases(app), number.ToString(CultureInfo.InvariantCulture));

    private string FileOf(int number, string name) => Path.Combine(FolderOf(number), name);
}
