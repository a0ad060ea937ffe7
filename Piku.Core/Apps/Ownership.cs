using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Core.Apps;

/// <summary>
/// Whose the folders of apps are. Where apps have been given users, or are to have none any more, all that is in them
/// changes hands, links themselves and not what they lead to; a folder itself last, so that it may be done again.
/// </summary>
public static class Ownership
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private static readonly EnvMap Environment = EnvMap.Empty.With("PATH", "/usr/bin:/bin");

    /// <summary>
    /// Gives each app a user, if apps are to have some, and what is its user's to it. For before anything of it runs. An app
    /// for which that cannot be done keeps no other from running; without a user it does not run itself.
    /// </summary>
    /// <returns>What could not be done, for the log: one sentence each.</returns>
    public static async Task<IReadOnlyList<string>> ArrangeAsync(PikuPaths paths, AppStore apps, AppUsers users, CancellationToken cancel)
    {
        var problems = new List<string>();
        foreach (var app in paths.HasAppUsers ? apps.All() : [])
        {
            try
            {
                await users.ClaimAsync(app, cancel);
                await GiveAsync(users.Of(app), [.. users.FoldersOf(app).Where(folder => Owner.Of(folder) != users.Of(app))], cancel);
            }
            catch (Exception stuck) when (stuck is UserError or IOException or UnauthorizedAccessException)
            {
                problems.Add($"Not all that is of '{app}' could be given to its user: {stuck.Message}");
            }
        }
        return problems;
    }

    /// <summary>Gives folders to somebody with all that is in them, and closes them to others.</summary>
    /// <exception cref="UserError">Something could not be given.</exception>
    public static async Task GiveAsync(Owner owner, string[] folders, CancellationToken cancel)
    {
        if (folders.Length == 0)
            return;
        var command = Command(owner, folders);
        var run = await ChildProcess.CaptureAsync(new() { Program = command[0], Arguments = command[1..], Folder = "/", Environment = Environment }, cancel);
        if (!run.Status.Succeeded)
            throw new UserError($"{string.Join(", ", folders)} could not be given to the user {owner.User}: {run.Error.Split('\n')[0]}");
        foreach (var folder in folders)
            File.SetUnixFileMode(folder, Private);
    }

    /// <summary>All that belongs to users of apps, of destroyed ones too, as somebody who is none of them sees it.</summary>
    public static string[] Foreign(PikuPaths paths)
    {
        string[] folders = [paths.Apps, paths.Repos, paths.Envs, paths.Data, paths.Logs, paths.Homes, paths.AllSockets];
        var users = new AppUsers(paths, TimeProvider.System);
        return
        [
            .. folders.Where(Directory.Exists).SelectMany(Directory.GetDirectories)
                .Concat(new AppStore(paths).All().SelectMany(users.FoldersOf)).Distinct()
                .Where(folder => Owner.Of(folder) != Owner.Self),
        ];
    }

    /// <summary>chown(1), which goes from the inside out and by open folders, and so comes to nothing that is elsewhere.</summary>
    public static string[] Command(Owner owner, IEnumerable<string> folders) =>
        ["chown", "--recursive", "--no-dereference", "-P", "--", $"{owner}", .. folders];
}
