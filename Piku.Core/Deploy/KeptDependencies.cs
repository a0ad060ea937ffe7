using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Core.Deploy;

/// <summary>
/// Dependencies that are not in use, but belong to a release that somebody may want back: <c>kept-dependencies/ID</c>,
/// with what was <c>envs/APP</c> and the hashes of what is installed there. They come and go by renames.
/// </summary>
internal sealed class KeptDependencies(PikuPaths paths, AppName app)
{
    /// <summary>
    /// Different dependencies, those in use included, that the last good releases may go back to without installing
    /// anything. Each may be some 100 MiB.
    /// </summary>
    public const int Most = 3;

    /// <summary>Where those of that id are, or would be.</summary>
    public string EnvOf(string id) => Path.Combine(FolderOf(id), "env");

    public string HashesOf(string id) => Path.Combine(FolderOf(id), "dependencies");

    public bool Has(string id) => Directory.Exists(EnvOf(id)) && File.Exists(HashesOf(id));

    /// <summary>Takes over a folder of dependencies; the settings that stand in it stay out.</summary>
    /// <param name="id">Their id.</param>
    /// <param name="env">The folder; it is moved.</param>
    /// <param name="hashes">The file that says what is installed there; it is copied.</param>
    public void Put(string id, string env, string hashes)
    {
        Directory.CreateDirectory(FolderOf(id));
        WholeFolder.Remove(EnvOf(id));
        AtomicFile.Write(HashesOf(id), File.ReadAllBytes(hashes), AtomicFile.Secret);
        foreach (var file in SettingsIn(env))
            File.Delete(file);
        Directory.Move(env, EnvOf(id));
    }

    /// <summary>What stands in <c>envs/APP</c> and is no dependency.</summary>
    public IEnumerable<string> SettingsIn(string env) =>
        new[] { paths.EnvFile(app), paths.LiveEnvFile(app), paths.ScalingFile(app) }.Select(file => Path.Combine(env, Path.GetFileName(file)));

    /// <summary>Removes those that no release needs which is near enough; half of one that was left, too.</summary>
    /// <param name="good">The releases that succeeded, newest first.</param>
    public void Prune(IEnumerable<Release> good)
    {
        if (!Directory.Exists(paths.KeptDependencies(app)))
            return;
        var needed = good.Select(release => release.Dependencies).OfType<string>().Distinct().Take(Most).ToHashSet();
        foreach (var folder in Directory.EnumerateDirectories(paths.KeptDependencies(app)))
        {
            if (!needed.Contains(Path.GetFileName(folder)) || !Has(Path.GetFileName(folder)))
                WholeFolder.Remove(folder);
        }
    }

    private string FolderOf(string id) => Path.Combine(paths.KeptDependencies(app), id);
}
