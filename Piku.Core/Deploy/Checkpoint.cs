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
    /// <summary>What the way back writes beside the tree: some twenty small files, lists of all sites, git's locks.</summary>
    private const long Room = 1 << 20;
    private const int Names = 64;

    /// <summary>What follows the name of the folder of one that is not needed any more.</summary>
    private const string Over = ".over";

    private readonly AppName _app;
    private readonly PikuPaths _paths;
    private readonly string _folder;
    private readonly KeptDependencies _kept;

    private Checkpoint(PikuPaths paths, AppName app, CheckpointFacts facts)
    {
        (_paths, _app, Facts) = (paths, app, facts);
        (_folder, _kept) = (FolderOf(paths, app), new(paths, app));
    }

    public CheckpointFacts Facts { get; private set; }

    private string SavedVassals => Path.Combine(_folder, "vassals");
    private KeptOutputs Outputs => new(_paths, _app, Path.Combine(_folder, "outputs"));
    private string SavedEnvironment => Path.Combine(_folder, "env");

    /// <summary>Saves how the app is now, and the room to put it back. Whole on disk when this returns.</summary>
    /// <param name="replaced">What of the tree must be written again on the way back.</param>
    /// <exception cref="UserError">The disk is full.</exception>
    public static Checkpoint Take(PikuPaths paths, VassalStore vassals, AppName app, CheckpointFacts facts, TreeSize replaced)
    {
        var making = FolderOf(paths, app) + ".new";
        WholeFolder.Remove(making);
        try
        {
            Directory.CreateDirectory(Path.Combine(making, "vassals"));
            foreach (var (name, text) in vassals.Snapshot(app))
                AtomicFile.Write(Path.Combine(making, "vassals", name), text, AtomicFile.Secret);
            foreach (var file in LiveFiles(paths, app, facts).Append(paths.NginxSite(app)))
            {
                if (Read(paths, app, file) is { } content)
                    AtomicFile.Write(Path.Combine(making, Path.GetFileName(file)), content, AtomicFile.Secret);
            }
            WriteFacts(making, facts);
            Reserve.Take(RoomIn(making), replaced.Bytes + Room, replaced.Files + Names);
            Directory.Move(making, FolderOf(paths, app));
        }
        catch
        {
            WholeFolder.Remove(making);
            throw;
        }
        return new(paths, app, facts);
    }

    /// <summary>Whether a deploy is under way, has not been put back, or is over and could not be removed.</summary>
    public static bool IsLeft(PikuPaths paths, AppName app) => Directory.Exists(FolderOf(paths, app)) || Directory.Exists(FolderOf(paths, app) + Over);

    /// <summary>Removes one that was not whole yet when its process was killed, and one that was over.</summary>
    public static void RemoveLeftovers(PikuPaths paths, AppName app)
    {
        WholeFolder.Remove(FolderOf(paths, app) + ".new");
        WholeFolder.Remove(FolderOf(paths, app) + Over);
        new CopyAside(paths, app, FolderOf(paths, app)).Remove();
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

    /// <summary>The deploy comes to its end, good or bad, which may need the room that was kept for it.</summary>
    public void UseRoom() => Reserve.Free(RoomIn(_folder));

    /// <summary>Keeps what builds have made inside the app's folder, before they make it anew.</summary>
    /// <param name="outputs">Absolute paths.</param>
    /// <exception cref="UserError">There is no room for it.</exception>
    public async Task KeepOutputsAsync(IEnumerable<string> outputs, EnvMap environment, CancellationToken cancel)
    {
        WriteFacts(_folder, Facts = Facts with { Outputs = [.. outputs.Select(output => Path.GetRelativePath(_paths.App(_app), output))] });
        await Outputs.KeepAsync(Facts.Outputs, environment, cancel);
    }

    /// <summary>Copies the dependencies too, before a step that changes them; shares blocks where the file system can.</summary>
    public async Task KeepEnvironmentAsync(EnvMap environment, CancellationToken cancel)
    {
        if (Directory.Exists(SavedEnvironment))
        {
            // Those of before are aside already, and what took their place will not be what was kept any more.
            WriteFacts(_folder, Facts = Facts with { SwappedIn = null });
            return;
        }
        if (!Directory.Exists(_paths.Env(_app)))
            return;
        await new CopyAside(_paths, _app, _folder).TakeAsync("--reflink=auto", _paths.Env(_app), SavedEnvironment, environment, cancel);
    }

    /// <summary>
    /// Puts kept dependencies in the place of those that are installed, by renames alone: a crash between any two of
    /// them leaves what <see cref="RestoreFiles"/> puts back.
    /// </summary>
    /// <returns>False when those are not kept.</returns>
    public bool SwapIn(string dependencies)
    {
        if (!_kept.Has(dependencies) || !Directory.Exists(_paths.Env(_app)))
            return false;
        var incoming = _kept.EnvOf(dependencies);
        foreach (var (from, to) in _kept.SettingsIn(_paths.Env(_app)).Zip(_kept.SettingsIn(incoming)))
        {
            if (Read(_paths, _app, from) is { } settings)
                WriteKept(to, settings);
            else
                InKept(to, path => AtomicFile.Delete(path));
        }
        WriteFacts(_folder, Facts = Facts with { SwappedIn = dependencies });
        Directory.Move(_paths.Env(_app), SavedEnvironment);
        Directory.Move(incoming, _paths.Env(_app));
        new DependencyHashes(_paths, _app).BecomeThoseOf(_kept.HashesOf(dependencies));
        return true;
    }

    /// <summary>Puts the dependencies and the files that say how the app runs back. The vassals' text is returned for the switch back.</summary>
    public IReadOnlyDictionary<string, string> RestoreFiles()
    {
        if (Directory.Exists(SavedEnvironment))
        {
            // Settings are not part of a deploy: what config:set has stored stays, unless it was a rollback that did.
            if (Read(_paths, _app, _paths.EnvFile(_app)) is { } settings)
                WriteKept(Path.Combine(SavedEnvironment, "ENV"), settings);
            if (Directory.Exists(_paths.Env(_app)))
                PutAway(_paths.Env(_app));
            Directory.Move(SavedEnvironment, _paths.Env(_app));
        }
        Outputs.Restore(Facts.Outputs);
        foreach (var file in LiveFiles(_paths, _app, Facts))
        {
            var saved = AtomicFile.ReadBytesIfExists(Path.Combine(_folder, Path.GetFileName(file)));
            Owner.Around(file).Do(() =>
            {
                if (saved is not null)
                    AtomicFile.Write(file, saved, AtomicFile.Secret);
                else
                    AtomicFile.Delete(file);
            });
        }
        return Directory.EnumerateFiles(SavedVassals).ToDictionary(file => Path.GetFileName(file), File.ReadAllText);
    }

    /// <summary>The nginx site as it was; null when there was none.</summary>
    public string? SavedSite() => AtomicFile.ReadIfExists(Path.Combine(_folder, Path.GetFileName(_paths.NginxSite(_app))));

    /// <summary>The new version stays. The dependencies of the one before are kept for a rollback to it.</summary>
    public void Done()
    {
        var hashes = Path.Combine(_folder, Path.GetFileName(_paths.DependencyHashes(_app)));
        if (Directory.Exists(SavedEnvironment) && DependencyHashes.IdIn(hashes) is { } before)
            _kept.Put(before, SavedEnvironment, hashes);
        Discard();
    }

    /// <summary>The deploy is over. Renamed first, so that a half-removed folder is never taken for a checkpoint.</summary>
    public void Discard()
    {
        var over = _folder + Over;
        WholeFolder.Remove(over);
        Directory.Move(_folder, over);
        WholeFolder.Remove(over);
    }

    /// <summary>The files that change when the app is switched; the nginx site is apart because nginx must agree to it.</summary>
    private static IEnumerable<string> LiveFiles(PikuPaths paths, AppName app, CheckpointFacts facts) =>
    [
        .. facts.ChangesSettings ? [paths.EnvFile(app)] : Array.Empty<string>(), paths.LiveEnvFile(app), paths.ScalingFile(app), paths.Certificate(app), paths.CertificateKey(app), paths.DependencyHashes(app),
    ];

    /// <summary>Dependencies that a swap has brought go back to where they are kept; all others are of no use.</summary>
    private void PutAway(string env)
    {
        var discarded = Path.Combine(_folder, "env.discarded");
        WholeFolder.Remove(discarded);
        if (Facts.SwappedIn is { } id && !Directory.Exists(_kept.EnvOf(id)) && File.Exists(_kept.HashesOf(id)))
            _kept.Put(id, env, _kept.HashesOf(id));
        else
            Directory.Move(env, discarded);
    }

    /// <summary>What a file says that may be in a folder of the app's.</summary>
    private static byte[]? Read(PikuPaths paths, AppName app, string file)
    {
        var owner = Path.GetDirectoryName(file) == paths.Env(app) ? AppUsers.Of(paths, app) : Owner.Self;
        return owner.Do(() => AtomicFile.ReadBytesIfExists(file));
    }

    /// <summary>Writes a file of a folder that is kept aside for the app.</summary>
    private void WriteKept(string file, byte[] content) => InKept(file, path => AtomicFile.Write(path, content, AtomicFile.Secret));

    /// <summary>
    /// Nobody else finds a way to the folder, but who has it open from before is still in it: what is done there is done as
    /// the app, and nothing of ours is there for a moment.
    /// </summary>
    private void InKept(string file, Action<string> work)
    {
        using var folder = Libc.Open(Path.GetDirectoryName(file)!, Libc.OpenPath | Libc.OpenFolder | Libc.OpenWithoutFollowing);
        AppUsers.Of(_paths, _app).Do(() => work($"/proc/self/fd/{folder.DangerousGetHandle()}/{Path.GetFileName(file)}"));
    }

    private static void WriteFacts(string folder, CheckpointFacts facts) => AtomicFile.Write(
        Path.Combine(folder, "facts.json"), JsonSerializer.Serialize(facts, CheckpointJson.Default.CheckpointFacts), AtomicFile.Secret);

    private static string RoomIn(string folder) => Path.Combine(folder, "room");

    private static string FolderOf(PikuPaths paths, AppName app) => Path.Combine(paths.AppState(app), "checkpoint");
}

/// <summary>Where a deploy comes from and where it goes.</summary>
/// <param name="Before">What was checked out; null for the first deploy.</param>
/// <param name="After">What is to be live.</param>
/// <param name="IsPush">The refs are to move when the deploy is done.</param>
/// <param name="Vassals">File names of those that run the new version; null until it is the one that runs.</param>
internal sealed record CheckpointFacts(DeployTarget? Before, DeployTarget After, bool IsPush, IReadOnlyList<string>? Vassals)
{
    /// <summary>The number of the release that this is; null when it is none, as a restart.</summary>
    public int? Release { get; init; }

    /// <summary>True when the settings of <c>config:set</c> are part of the deploy, and come back with the rest.</summary>
    public bool ChangesSettings { get; init; }

    /// <summary>Folders in the app's own that a build makes anew.</summary>
    public IReadOnlyList<string> Outputs { get; init; } = [];

    /// <summary>Kept dependencies that have taken the place of those of before, and are as they were kept.</summary>
    public string? SwappedIn { get; init; }
}

[JsonSerializable(typeof(CheckpointFacts))]
internal sealed partial class CheckpointJson : JsonSerializerContext;
