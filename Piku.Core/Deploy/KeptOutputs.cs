using Piku.Core.Apps;
using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Core.Deploy;

/// <summary>
/// What builds have made inside the app's own folder (<c>target</c>), kept aside while a deploy makes it anew, so that
/// a failed one leaves the old version's. The copies are hard links: those who build remove a file before they write it.
/// </summary>
/// <param name="folder">Where they are kept, by their paths in the app.</param>
internal sealed class KeptOutputs(PikuPaths paths, AppName app, string folder)
{
    /// <summary>Keeps these, as far as they are there.</summary>
    /// <param name="outputs">Paths in the app's folder.</param>
    /// <param name="environment">A PATH.</param>
    /// <exception cref="UserError">There is no room for it.</exception>
    public async Task KeepAsync(IEnumerable<string> outputs, EnvMap environment, CancellationToken cancel)
    {
        foreach (var output in outputs.Where(output => Directory.Exists(InApp(output)) && !Directory.Exists(Kept(output))))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Kept(output))!);
            await new CopyAside(paths, app, Path.GetDirectoryName(folder)!).TakeAsync("--link", InApp(output), Kept(output), environment, cancel);
        }
    }

    /// <summary>Puts all that is kept back. May be repeated after an interruption.</summary>
    public void Restore(IEnumerable<string> outputs)
    {
        foreach (var output in outputs.Where(output => Directory.Exists(Kept(output))))
        {
            AppUsers.Of(paths, app).Do(() => WholeFolder.Remove(InApp(output)));
            // The app may have made a link of a folder on the way, which must not lead out of it.
            ConfinedFolder.Move(folder, paths.App(app), output);
        }
    }

    private string Kept(string output) => Path.Combine(folder, output);

    private string InApp(string output) => Path.Combine(paths.App(app), output);
}
