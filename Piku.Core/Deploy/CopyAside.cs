using Piku.Core.Apps;
using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Core.Deploy;

/// <summary>
/// A folder of an app's, copied to where only piku can look. With a user of its own the app copies it itself, beside its
/// other things, and piku takes the copy: whatever the app puts in the way meanwhile, it gets at nothing of others'.
/// </summary>
/// <param name="folder">Where copies are made while all apps are one user.</param>
internal sealed class CopyAside(PikuPaths paths, AppName app, string folder)
{
    private readonly Owner _user = AppUsers.Of(paths, app);

    private string Making => Path.Combine(_user.IsOther ? paths.Home(app) : folder, ".piku-aside");

    /// <param name="how">An option of cp(1) by which files share their content, where they can.</param>
    /// <param name="from">The folder.</param>
    /// <param name="to">Where it is to be; the folder that it will be in is there.</param>
    /// <param name="environment">A PATH.</param>
    /// <exception cref="UserError">There is no room for it.</exception>
    public async Task TakeAsync(string how, string from, string to, EnvMap environment, CancellationToken cancel)
    {
        Remove();
        var copy = await ChildProcess.CaptureAsync(
            new() { Program = "cp", Arguments = ["--archive", how, "--", from, Making], Folder = "/", Environment = environment, User = _user }, cancel);
        if (!copy.Status.Succeeded)
        {
            Remove();
            throw new UserError($"What '{app}' has in {from} could not be kept aside: {copy.Error.Split('\n')[0]}");
        }
        Directory.Move(Making, to);
        if (_user.IsOther && (Owner.Of(to) != _user || !Directory.Exists(to) || new DirectoryInfo(to).LinkTarget is not null))
        {
            if (Directory.Exists(to) && new DirectoryInfo(to).LinkTarget is null)
                WholeFolder.Remove(to);
            else
                File.Delete(to);
            throw new UserError($"What '{app}' has in {from} could not be kept aside: it was exchanged meanwhile.");
        }
    }

    /// <summary>Removes what was left of one when its process was killed.</summary>
    public void Remove() => _user.Do(() => WholeFolder.Remove(Making));
}
