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
    /// <summary>The app's user may stop what runs as they, and must not hold up other apps for ever.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(30);

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
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(Patience);
        var copy = await CopyAsync(how, from, environment, limit.Token, cancel);
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

    private async Task<CapturedRun> CopyAsync(string how, string from, EnvMap environment, CancellationToken within, CancellationToken cancel)
    {
        try
        {
            return await ChildProcess.CaptureAsync(
                new() { Program = "cp", Arguments = ["--archive", how, "--", from, Making], Folder = "/", Environment = environment, User = _user }, within);
        }
        catch (OperationCanceledException late) when (!cancel.IsCancellationRequested)
        {
            throw new UserError($"What '{app}' has in {from} could not be kept aside within {Patience.TotalMinutes:0} minutes.", late);
        }
    }

    /// <summary>Removes what was left of one when its process was killed.</summary>
    public void Remove() => _user.Do(() => WholeFolder.Remove(Making));
}
