using System.Text.Json;
using System.Text.Json.Serialization;
using Piku.Core.Apps;
using Piku.Core.Git;
using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Core.Deploy;

/// <summary>
/// The way back of one deploy, on disk from before its first change until its end: which commit was checked out,
/// and a copy of every file that says how the app runs. Its folder being there means that a deploy is under way,
/// or that it was when this machine or the daemon went down; see <see cref="Recovery"/>.
/// </summary>
internal sealed class Checkpoint
{
    private readonly AppName _app;
    private readonly PikuPaths _paths;
    private readonly string _folder;

    private Checkpoint(PikuPaths paths, AppName app, CheckpointFacts facts)
    {
        (_paths, _app, Facts) = (paths, app, facts);
        _folder = FolderOf(paths, app);
    }

    public CheckpointFacts Facts { get; private set; }

    private string SavedVassals => Path.Combine(_folder, "vassals");
    private string SavedEnvironment => Path.Combine(_folder, "env");

    /// <summary>Saves how the app is now. Whole on disk when this returns.</summary>
    public static Checkpoint Take(PikuPaths paths, VassalStore vassals, AppName app, CheckpointFacts facts)
    {
        var making = FolderOf(paths, app) + ".new";
        Remove(making);
        Directory.CreateDirectory(Path.Combine(making, "vassals"));
        foreach (var (name, text) in vassals.Snapshot(app))
            AtomicFile.Write(Path.Combine(making, "vassals", name), text, AtomicFile.Secret);
        foreach (var file in LiveFiles(paths, app).Append(paths.NginxSite(app)).Where(File.Exists))
            AtomicFile.Write(Path.Combine(making, Path.GetFileName(file)), File.ReadAllBytes(file), AtomicFile.Secret);
        WriteFacts(making, facts);
        Directory.Move(making, FolderOf(paths, app));
        return new(paths, app, facts);
    }

    /// <summary>What an earlier process has left of a deploy it did not finish; null when there is nothing.</summary>
    public static Checkpoint? Left(PikuPaths paths, AppName app) =>
        AtomicFile.ReadIfExists(Path.Combine(FolderOf(paths, app), "facts.json")) is { } text
        && JsonSerializer.Deserialize(text, CheckpointJson.Default.CheckpointFacts) is { } facts
            ? new(paths, app, facts)
            : null;

    /// <summary>Marks the point from which on the new version is the one that runs.</summary>
    /// <param name="vassals">File names of those that run it.</param>
    public void Switched(IReadOnlyList<string> vassals) => WriteFacts(_folder, Facts = Facts with { Vassals = vassals });

    /// <summary>Copies the dependencies too, before a step that changes them; shares blocks where the file system can.</summary>
    public async Task KeepEnvironmentAsync(EnvMap environment, CancellationToken cancel)
    {
        if (!Directory.Exists(_paths.Env(_app)))
            return;
        var making = SavedEnvironment + ".new";
        Remove(making);
        var copy = await ChildProcess.CaptureAsync(
            new()
            {
                Program = "cp",
                Arguments = ["--archive", "--reflink=auto", "--", _paths.Env(_app), making],
                Folder = _folder,
                Environment = environment,
            },
            cancel);
        if (!copy.Status.Succeeded)
            throw new UserError($"The dependencies of '{_app}' could not be kept aside: {copy.Error.Trim()}");
        Directory.Move(making, SavedEnvironment);
    }

    /// <summary>Puts the dependencies and the files that say how the app runs back. The vassals' text is returned for the switch back.</summary>
    public IReadOnlyDictionary<string, string> RestoreFiles()
    {
        if (Directory.Exists(SavedEnvironment))
        {
            // Settings are not part of a deploy: what config:set has stored stays.
            if (File.Exists(_paths.EnvFile(_app)))
                File.Copy(_paths.EnvFile(_app), Path.Combine(SavedEnvironment, "ENV"), overwrite: true);
            var discarded = Path.Combine(_folder, "env.discarded");
            Remove(discarded);
            if (Directory.Exists(_paths.Env(_app)))
                Directory.Move(_paths.Env(_app), discarded);
            Directory.Move(SavedEnvironment, _paths.Env(_app));
        }
        foreach (var file in LiveFiles(_paths, _app))
        {
            var saved = Path.Combine(_folder, Path.GetFileName(file));
            if (File.Exists(saved))
                AtomicFile.Write(file, File.ReadAllBytes(saved), AtomicFile.Secret);
            else
                AtomicFile.Delete(file);
        }
        return Directory.EnumerateFiles(SavedVassals).ToDictionary(file => Path.GetFileName(file), File.ReadAllText);
    }

    /// <summary>The nginx site as it was; null when there was none.</summary>
    public string? SavedSite() => AtomicFile.ReadIfExists(Path.Combine(_folder, Path.GetFileName(_paths.NginxSite(_app))));

    /// <summary>The deploy is over. Renamed first, so that a half-removed folder is never taken for a checkpoint.</summary>
    public void Discard()
    {
        var over = _folder + ".over";
        Remove(over);
        Directory.Move(_folder, over);
        Remove(over);
    }

    /// <summary>The files that change when the app is switched; the nginx site is apart because nginx must agree to it.</summary>
    private static IEnumerable<string> LiveFiles(PikuPaths paths, AppName app) =>
    [
        paths.LiveEnvFile(app), paths.ScalingFile(app), paths.Certificate(app), paths.CertificateKey(app), paths.DependencyHashes(app),
    ];

    private static void WriteFacts(string folder, CheckpointFacts facts) => AtomicFile.Write(
        Path.Combine(folder, "facts.json"), JsonSerializer.Serialize(facts, CheckpointJson.Default.CheckpointFacts), AtomicFile.Secret);

    private static void Remove(string folder)
    {
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }

    private static string FolderOf(PikuPaths paths, AppName app) => Path.Combine(paths.AppState(app), "checkpoint");
}

/// <summary>Where a deploy comes from and where it goes.</summary>
/// <param name="Before">What was checked out; null for the first deploy.</param>
/// <param name="After">What is to be live.</param>
/// <param name="IsPush">The refs are to move when the deploy is done.</param>
/// <param name="Vassals">File names of those that run the new version; null until it is the one that runs.</param>
internal sealed record CheckpointFacts(DeployTarget? Before, DeployTarget After, bool IsPush, IReadOnlyList<string>? Vassals);

[JsonSerializable(typeof(CheckpointFacts))]
internal sealed partial class CheckpointJson : JsonSerializerContext;
