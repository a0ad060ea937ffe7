using System.Collections.Immutable;
using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Core.Apps;

/// <summary>
/// The vassals on disk. A vassal is one ini file in <c>uwsgi-enabled</c>, which the emperor runs as long as the
/// file is there; its twin in <c>uwsgi-available</c> is what was enabled last. Whose a vassal is says its
/// <c>project</c> line, because <c>a_b_c.1.ini</c> could be named by two apps (D5).
/// </summary>
public sealed class VassalStore(PikuPaths paths)
{
    /// <summary>File names of the vassals that the emperor runs for this app, sorted.</summary>
    public ImmutableArray<string> Enabled(AppName app) =>
        [.. Owned(paths.VassalsEnabled, app).Select(file => Path.GetFileName(file))];

    /// <summary>The text of each enabled vassal, for putting it back.</summary>
    public ImmutableDictionary<string, string> Snapshot(AppName app) =>
        Owned(paths.VassalsEnabled, app).ToImmutableDictionary(file => Path.GetFileName(file), File.ReadAllText);

    /// <summary>
    /// Makes these vassals, and no others, the app's. A vassal whose text did not change is written again, because
    /// the emperor reloads on a newer file and the app's code may have changed. Adds before it removes (D17).
    /// </summary>
    /// <exception cref="UserError">Another app has a vassal of that name; nothing was written.</exception>
    public void Replace(AppName app, IReadOnlyDictionary<string, string> vassals)
    {
        foreach (var name in vassals.Keys)
            RefuseIfTaken(app, name);
        foreach (var (name, text) in vassals)
        {
            AtomicFile.Write(Path.Combine(paths.VassalsAvailable, name), text, AtomicFile.Secret);
            AtomicFile.Write(Path.Combine(paths.VassalsEnabled, name), text, AtomicFile.Secret);
        }
        foreach (var gone in Enabled(app).Where(name => !vassals.ContainsKey(name)))
            AtomicFile.Delete(Path.Combine(paths.VassalsEnabled, gone));
    }

    /// <summary>Takes all vassals of the app from the emperor, which stops them.</summary>
    public void Disable(AppName app)
    {
        foreach (var file in Owned(paths.VassalsEnabled, app))
            AtomicFile.Delete(file);
    }

    /// <summary>Forgets all vassals of the app.</summary>
    public void RemoveAll(AppName app)
    {
        Disable(app);
        foreach (var file in Owned(paths.VassalsAvailable, app))
            AtomicFile.Delete(file);
    }

    private void RefuseIfTaken(AppName app, string name)
    {
        var file = Path.Combine(paths.VassalsEnabled, name);
        if (Owner(file) is { } owner && owner != app.Value)
            throw new UserError($"the app '{owner}' already has a worker file '{name}': rename the worker in the Procfile.");
    }

    private static List<string> Owned(string folder, AppName app) =>
        !Directory.Exists(folder) ? [] :
        [.. Directory.EnumerateFiles(folder, app.Value + "_*.ini").Where(file => Owner(file) == app.Value).Order(StringComparer.Ordinal)];

    private static string? Owner(string file) => AtomicFile.ReadIfExists(file)?.Split('\n')
        .Select(line => line.Split('=', 2, StringSplitOptions.TrimEntries))
        .FirstOrDefault(parts => parts is ["project", _])?[1];
}
