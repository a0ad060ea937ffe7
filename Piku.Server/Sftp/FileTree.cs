using System.Diagnostics.CodeAnalysis;
using Microsoft.Win32.SafeHandles;
using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Server.Sftp;

/// <summary>
/// The files of the apps as someone with a key sees them: <c>/apps/APP</c>, <c>/data/APP</c> and <c>/logs/APP</c>, of the
/// apps that they may see. The three and the apps in them are fixed; everything below is a <see cref="ConfinedFolder"/>,
/// so that one app's folder does not lead into another's either. Logs are only to be read, and what an app keeps in
/// <c>/data</c> is for those who may change the app: it is its users' secrets, not its code.
/// </summary>
/// <param name="access">What the key may do with an app.</param>
/// <remarks>Paths begin at the tree's root, whether they begin with <c>/</c> or not; <c>..</c> is taken by its letters.</remarks>
internal sealed class FileTree(PikuPaths paths, Func<AppName, Access> access)
{
    private const int NoEntry = 2, Denied = 13, Exists = 17, CrossDevice = 18;
    private const ushort FixedFolder = 0x4000 | 0x16D; // dr-xr-xr-x

    private readonly Area[] _areas =
    [
        new("apps", paths.Apps, ReaderMay: Access.Read, WriterMay: Access.Write),
        new("data", paths.Data, ReaderMay: Access.None, WriterMay: Access.Write),
        new("logs", paths.Logs, ReaderMay: Access.Read, WriterMay: Access.Read),
    ];

    /// <summary>
    /// The path without <c>.</c>, <c>..</c> and double slashes, from the root, which is also called <c>~</c> and, as with
    /// upstream, <c>.piku</c>.
    /// </summary>
    public static string Normalize(string path)
    {
        var parts = new List<string>();
        foreach (var part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (part == ".." && parts.Count > 0)
                parts.RemoveAt(parts.Count - 1);
            else if (part is not ("." or ".."))
                parts.Add(part);
        }
        if (parts is ["~", ..])
            parts.RemoveAt(0);
        if (parts is [".piku", ..])
            parts.RemoveAt(0);
        return "/" + string.Join('/', parts);
    }

    public FileStatus Status(string path, bool follow)
    {
        using var place = Find(path);
        return place.Folder is { } folder ? place.Owner.Do(() => folder.Status(place.Path, follow)) : new FileStatus { Mode = FixedFolder, Links = 1 };
    }

    /// <inheritdoc cref="ConfinedFolder.OpenFile"/>
    public SafeFileHandle OpenFile(string path, FileAccess fileAccess, FileMode mode, UnixFileMode permissions)
    {
        using var place = fileAccess == FileAccess.Read && mode == FileMode.Open ? Find(path) : FindToWrite(path);
        var folder = place.Folder ?? throw Refused("it is a folder");
        return place.Owner.Do(() => folder.OpenFile(place.Path, fileAccess, mode, permissions));
    }

    /// <summary>The entries of a folder, as they are asked for.</summary>
    public FolderEntries OpenFolder(string path)
    {
        using var place = Find(path);
        return place.Folder is { } folder ? new(place.Owner.Do(() => folder.OpenFolder(place.Path)))
            : new(place.Area is { } area ? AppsIn(area) : _areas.Select(each => each.Name), new FileStatus { Mode = FixedFolder, Links = 1 });
    }

    /// <summary>
    /// Changes what is given. An app's own folder keeps the permissions and times that piku gave it: OpenSSH asks for others
    /// at the end of each <c>put -r</c>, whoever copies into it means what is in it.
    /// </summary>
    public void Change(string path, long? size, UnixFileMode? permissions, (DateTime Accessed, DateTime Modified)? times)
    {
        if (size is null && IsFixed(path))
            return;
        using var place = FindToWrite(path);
        var folder = place.Folder!;
        place.Owner.Do(() =>
        {
            if (size is { } length)
            {
                using var file = folder.OpenFile(place.Path, FileAccess.Write, FileMode.Open, 0);
                RandomAccess.SetLength(file, length);
            }
            if (permissions is { } mode)
                folder.SetPermissions(place.Path, mode);
            if (times is { } at)
                folder.SetTimes(place.Path, at.Accessed, at.Modified);
        });
    }

    public void CreateFolder(string path, UnixFileMode permissions)
    {
        if (IsFixed(path))
            throw new IOException("it exists already", Exists);
        using var place = FindToWrite(path);
        place.Owner.Do(() => place.Folder!.CreateFolder(place.Path, permissions));
    }

    public void DeleteFile(string path)
    {
        using var place = FindToWrite(path);
        place.Owner.Do(() => place.Folder!.DeleteFile(place.Path));
    }

    public void DeleteFolder(string path)
    {
        using var place = FindToWrite(path);
        place.Owner.Do(() => place.Folder!.DeleteFolder(place.Path));
    }

    public void Rename(string path, string newPath, bool replace)
    {
        using var from = FindToWrite(path);
        using var to = FindToWrite(newPath);
        if (from.Owner != to.Owner)
            throw new IOException("it would still belong to the other app: copy it, and delete it there", CrossDevice);
        from.Owner.Do(() => from.Folder!.Rename(from.Path, to.Folder!, to.Path, replace));
    }

    /// <summary>Makes a symbolic link, unless it would lead out of the app's folder: programs that are not confined follow it too.</summary>
    public void CreateLink(string path, string target)
    {
        using var place = FindToWrite(path);
        if (target.StartsWith('/') || LeadsOut(place.Path, target))
            throw new IOException("a link must stay in its app's folder; use a relative path", CrossDevice);
        place.Owner.Do(() => place.Folder!.CreateLink(place.Path, target));
    }

    public string ReadLink(string path)
    {
        using var place = Find(path);
        var folder = place.Folder ?? throw Refused("it is no link");
        return place.Owner.Do(() => folder.ReadLink(place.Path));
    }

    private static bool LeadsOut(string path, string target)
    {
        var depth = path.Count(c => c == '/');
        foreach (var part in target.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            depth += part switch { ".." => -1, "." => 0, _ => 1 };
            if (depth < 0)
                return true;
        }
        return false;
    }

    /// <summary>True for the folder of an app, which is there and whose content may be changed.</summary>
    private bool IsFixed(string path)
    {
        using var place = Find(path);
        return place is { Folder: not null, CanWrite: true, Path: "" };
    }

    private Place FindToWrite(string path)
    {
        var place = Find(path);
        if (place is { CanWrite: true, Path.Length: > 0 })
            return place;
        place.Dispose();
        throw Refused(place is { Folder: not null, CanWrite: false } ? "it can only be read" : "this folder is piku's");
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "The place owns the folder.")]
    private Place Find(string path)
    {
        if (path.Contains('\0', StringComparison.Ordinal))
            throw new IOException("that is no path", NoEntry);
        var parts = Normalize(path)[1..].Split('/', 3);
        if (parts is [""])
            return new(null, null, Owner.Self, "", false);
        var area = Array.Find(_areas, each => each.Name == parts[0]) ?? throw Missing();
        if (parts is [_])
            return new(area, null, Owner.Self, "", false);
        if (!AppName.TryParse(parts[1], out var app) || AccessTo(area, app) is var may && may == Access.None)
            throw Missing();
        var top = Path.Combine(area.Folder, app.Value);
        return new(area, new ConfinedFolder(top), Owner.Of(top), parts is [_, _, var rest] ? rest : "", may == Access.Write);
    }

    private IEnumerable<string> AppsIn(Area area) => !Directory.Exists(area.Folder) ? [] : new DirectoryInfo(area.Folder).EnumerateDirectories()
        .Where(folder => folder.LinkTarget is null && AppName.TryParse(folder.Name, out var app) && AccessTo(area, app) != Access.None)
        .Select(folder => folder.Name).Order(StringComparer.Ordinal);

    private static IOException Missing() => new("there is no such file or folder", NoEntry);

    private static IOException Refused(string why) => new(why, Denied);

    private Access AccessTo(Area area, AppName app) => access(app) switch
    {
        Access.Write => area.WriterMay,
        Access.Read => area.ReaderMay,
        _ => Access.None,
    };

    /// <summary>One of the three.</summary>
    /// <param name="ReaderMay">What those may do who may only look at an app.</param>
    /// <param name="WriterMay">What those may do who may change it.</param>
    private sealed record Area(string Name, string Folder, Access ReaderMay, Access WriterMay);

    /// <summary>Where a path leads.</summary>
    /// <param name="Area">Null at the root.</param>
    /// <param name="Folder">Of the app; null above.</param>
    /// <param name="Owner">Whose the folder is, as whom all is done in it.</param>
    /// <param name="Path">In that folder.</param>
    private sealed record Place(Area? Area, ConfinedFolder? Folder, Owner Owner, string Path, bool CanWrite) : IDisposable
    {
        public void Dispose() => Folder?.Dispose();
    }
}
