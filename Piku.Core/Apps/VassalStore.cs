using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Piku.Core.Machine;
using Piku.Core.Model;
using Piku.Core.Services;
using Piku.Core.Workers;

namespace Piku.Core.Apps;

/// <summary>
/// The vassals on disk. A vassal is one ini file in <c>uwsgi-enabled</c>, which the emperor runs as long as the
/// file is there; its twin in <c>uwsgi-available</c> is what was enabled last. Whose a vassal is says its
/// <c>project</c> line, because <c>a_b_c.1.ini</c> could be named by two apps (D5).
/// </summary>
public sealed partial class VassalStore(PikuPaths paths, Emperor emperor)
{
    /// <summary>File names of the vassals that the emperor runs for this app, sorted.</summary>
    public ImmutableArray<string> Enabled(AppName app) =>
        [.. Owned(paths.VassalsEnabled, app).Select(file => Path.GetFileName(file))];

    /// <summary>The text of each enabled vassal, for putting it back.</summary>
    public ImmutableDictionary<string, string> Snapshot(AppName app) =>
        Owned(paths.VassalsEnabled, app).ToImmutableDictionary(file => Path.GetFileName(file), File.ReadAllText);

    /// <summary>What the processes of the enabled vassals carry.</summary>
    public IReadOnlySet<ProcessMark> Marks(AppName app) => Snapshot(app).Values.Select(Emperor.MarkIn).OfType<ProcessMark>().ToHashSet();

    /// <summary>What the processes of one of them carry; null when there is none, or it is an earlier piku's.</summary>
    /// <param name="name">Without <c>.ini</c>.</param>
    public ProcessMark? MarkOf(string name) =>
        AtomicFile.ReadIfExists(Path.Combine(paths.VassalsEnabled, name + ".ini")) is { } ini ? Emperor.MarkIn(ini) : null;

    /// <summary>Those of the enabled ones that run commands, by themselves or at their time.</summary>
    public IEnumerable<string> Commands(AppName app) => Snapshot(app).Where(vassal => Command().IsMatch(vassal.Value)).Select(vassal => vassal.Key);

    /// <summary>Those of the enabled ones that answer requests, which their names say.</summary>
    public IEnumerable<string> Serving(AppName app) => Enabled(app).Where(file => Addresses.AreOf(KindOf(app, file)));

    /// <summary>Those of a <see cref="Snapshot"/> that are enabled, and not as they are in it.</summary>
    public IEnumerable<string> NotYet(AppName app, IReadOnlyDictionary<string, string> snapshot)
    {
        var present = Snapshot(app);
        return snapshot.Where(saved => present.TryGetValue(saved.Key, out var text) && text != saved.Value).Select(saved => saved.Key);
    }

    /// <summary>Where a version that comes up beside the one that runs would stand; the first when none runs.</summary>
    public Stand FreeStand(AppName app) => Enabled(app) is { IsEmpty: false } names ? CurrentStand(names).Other() : Stand.First;

    /// <summary>Where the version that runs stands.</summary>
    public Stand CurrentStand(AppName app) => CurrentStand(Enabled(app));

    /// <summary>
    /// Puts these vassals before the emperor, beside others of the app, or in their place where they have the same
    /// name (D17); all are written anew, because the app's code may have changed.
    /// </summary>
    /// <returns>What the emperor is to bring up.</returns>
    /// <exception cref="UserError">Another app has a vassal of that name; nothing was written.</exception>
    public IReadOnlyList<InstalledVassal> Install(AppName app, IReadOnlyList<Services.Vassal> vassals)
    {
        foreach (var vassal in vassals)
            RefuseIfTaken(app, vassal.Name);
        var user = AppUsers.Of(paths, app);
        if (user.IsOther)
            user.MakeFolder(paths.Sockets(app));
        List<InstalledVassal> installed = [.. vassals.Select(vassal => emperor.Install(vassal, user, MarkedProcesses.New(paths, app, ProcessPurpose.Worker)))];
        foreach (var name in installed.Select(vassal => vassal.Name + ".ini"))
            AtomicFile.Write(Path.Combine(paths.VassalsAvailable, name), File.ReadAllText(Path.Combine(paths.VassalsEnabled, name)), AtomicFile.Secret);
        return installed;
    }

    /// <summary>Takes one vassal of the app away for good.</summary>
    /// <param name="fileName">As <see cref="Enabled"/> has it.</param>
    public void Remove(string fileName)
    {
        emperor.Remove(Path.GetFileNameWithoutExtension(fileName));
        AtomicFile.Delete(Path.Combine(paths.VassalsAvailable, fileName));
    }

    /// <summary>Puts back what a <see cref="Snapshot"/> has. Those that are so already are left alone, and so are others of the app.</summary>
    public void Restore(AppName app, IReadOnlyDictionary<string, string> snapshot)
    {
        var present = Snapshot(app);
        foreach (var (name, text) in snapshot.Where(saved => present.GetValueOrDefault(saved.Key) != saved.Value))
            emperor.Reinstall(Path.GetFileNameWithoutExtension(name), text, AppUsers.Of(paths, app));
    }

    /// <summary>Has the emperor start the app's vassals anew, as they are: what they run has changed under them.</summary>
    public void Renew(AppName app)
    {
        foreach (var (name, text) in Snapshot(app))
            emperor.Reinstall(Path.GetFileNameWithoutExtension(name), text, AppUsers.Of(paths, app));
    }

    /// <summary>Takes all vassals of the app from the emperor, which stops them.</summary>
    public void Disable(AppName app)
    {
        foreach (var name in Enabled(app))
            emperor.Remove(Path.GetFileNameWithoutExtension(name));
    }

    /// <summary>Forgets all vassals of the app.</summary>
    public void RemoveAll(AppName app)
    {
        Disable(app);
        foreach (var file in Owned(paths.VassalsAvailable, app))
            AtomicFile.Delete(file);
    }

    /// <summary>APP_KIND.ORDINAL and the mark of a stand.</summary>
    private static string KindOf(AppName app, string file) =>
        Path.GetFileNameWithoutExtension(file)[(app.Value.Length + 1)..] is var rest && rest.LastIndexOf('.') is > 0 and var end ? rest[..end] : rest;

    private static Stand CurrentStand(IEnumerable<string> names) =>
        names.Any(name => Stands.Of(Path.GetFileNameWithoutExtension(name)) is Stand.Second) ? Stand.Second : Stand.First;

    private void RefuseIfTaken(AppName app, string name)
    {
        if (AppOf(Path.Combine(paths.VassalsEnabled, name + ".ini")) is { } owner && owner != app.Value)
            throw new UserError($"the app '{owner}' already has a worker file '{name}': rename the worker in the Procfile.");
    }

    private static List<string> Owned(string folder, AppName app) =>
        !Directory.Exists(folder) ? [] :
        [.. Directory.EnumerateFiles(folder, app.Value + "_*.ini").Where(file => AppOf(file) == app.Value).Order(StringComparer.Ordinal)];

    private static string? AppOf(string file) => AtomicFile.ReadIfExists(file)?.Split('\n')
        .Select(line => line.Split('=', 2, StringSplitOptions.TrimEntries))
        .FirstOrDefault(parts => parts is ["project", _])?[1];

    /// <summary>As the option stands in a file, or declared (<see cref="Formats.UwsgiIni"/>).</summary>
    [GeneratedRegex(@"^(declare-option = text-\d+=)?(attach-daemon|cron)\s*=", RegexOptions.Multiline)]
    private static partial Regex Command();
}
