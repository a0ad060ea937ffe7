using Piku.Core.Git;
using Piku.Core.Machine;
using Piku.Core.Model;
using Piku.Core.Services;

namespace Piku.Core.Apps;

/// <summary>
/// Makes the folders of an installation, or the missing ones of an existing one. What nginx must reach may be
/// traversed; nobody but the service user can look into the rest (D29).
/// </summary>
public static class Installer
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode Passable = Private | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    public static void Run(PikuPaths paths)
    {
        string[] reachedByNginx = [paths.Root, paths.Apps, paths.NginxRoot, paths.AcmeWww, paths.Cache];
        string[] passed = paths.HasAppUsers ? [.. reachedByNginx, .. PassedByApps(paths)] : reachedByNginx;
        foreach (var folder in paths.Folders.Concat(passed.Except(paths.Folders)))
        {
            Directory.CreateDirectory(folder);
            File.SetUnixFileMode(folder, passed.Contains(folder) ? Passable : Private);
        }
        PushHook.Install(paths);
        PythonExit.Install(paths);
        CronRun.Install(paths);
    }

    /// <summary>What the users of apps must come through to reach what is theirs, or what they may read; they cannot look around in it.</summary>
    private static string[] PassedByApps(PikuPaths paths) =>
    [
        paths.Repos, paths.Envs, paths.Data, paths.Logs, paths.Homes, paths.Uwsgi, paths.VassalsEnabled, paths.Run,
        PushHook.HooksFolder(paths), PushHook.Meetings(paths), new EmperorFiles(paths).Tokens, paths.AllSockets,
    ];

    /// <summary>
    /// Removes half-written files that an earlier daemon has left outside the apps' own folders, which
    /// recovery sees to, and ends the wait of its pushes. Once, at the start: later somebody may be writing.
    /// </summary>
    public static void RemoveLeftovers(PikuPaths paths)
    {
        PushHook.RemoveLeftovers(paths);
        foreach (var folder in paths.Folders.Append(new NginxFiles(paths).Folder))
            AtomicFile.RemoveLeftovers(folder);
    }
}
