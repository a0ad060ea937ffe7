using System.Collections.Immutable;
using System.IO.Enumeration;
using Piku.Core.Model;

namespace Piku.Core.Apps;

/// <summary>How much room one part of an app takes on the disk.</summary>
/// <param name="Name">As people read it.</param>
/// <param name="Bytes">The lengths of all its files; blocks that files share count for each.</param>
public sealed record DiskUse(string Name, long Bytes)
{
    public static ImmutableArray<DiskUse> Of(PikuPaths paths, AppName app) =>
    [
        new("code", SizeOf(paths.App(app))),
        new("dependencies", SizeOf(paths.Env(app))),
        new("dependencies of earlier releases", SizeOf(paths.KeptDependencies(app))),
        new("releases and their logs", SizeOf(paths.Releases(app))),
        new("repository", SizeOf(paths.Repo(app))),
        new("logs", SizeOf(paths.AppLogs(app))),
        new("data", SizeOf(paths.AppData(app))),
        new("cache", SizeOf(paths.AppCache(app))),
        .. paths.HasAppUsers ? [new("home", SizeOf(paths.Home(app)))] : Array.Empty<DiskUse>(),
    ];

    /// <summary>Links are not followed. A file that goes meanwhile counts as nothing.</summary>
    private static long SizeOf(string folder) => !Directory.Exists(folder) ? 0 :
        new FileSystemEnumerable<long>(
            folder,
            (ref FileSystemEntry entry) => entry.Length,
            new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true, AttributesToSkip = FileAttributes.ReparsePoint })
        {
            ShouldIncludePredicate = (ref FileSystemEntry entry) => !entry.IsDirectory,
        }.Sum();
}
