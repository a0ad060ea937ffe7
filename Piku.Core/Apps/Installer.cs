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
        foreach (var folder in paths.Folders)
        {
            Directory.CreateDirectory(folder);
            File.SetUnixFileMode(folder, reachedByNginx.Contains(folder) ? Passable : Private);
        }
        PushHook.Install(paths);
        PythonExit.Install(paths);
    }

    /// <summary>
    /// Removes half-written files that an earlier daemon has left outside the apps' own folders, which
    /// recovery sees to. Once, at the start: later somebody may be writing.
    /// </summary>
    public static void RemoveLeftovers(PikuPaths paths)
    {
        foreach (var folder in paths.Folders.Append(new NginxFiles(paths).Folder))
            AtomicFile.RemoveLeftovers(folder);
    }
}
