using Piku.Core.Machine;

namespace Piku.Server.Sftp;

/// <summary>A folder being listed: one on the disk, or one of the tree's own.</summary>
internal sealed class FolderEntries : IDisposable
{
    private readonly FolderListing? _listing;
    private readonly IEnumerator<string>? _names;
    private readonly FileStatus _status;

    public FolderEntries(FolderListing listing) => _listing = listing;

    /// <param name="status">Of each of the names.</param>
    public FolderEntries(IEnumerable<string> names, FileStatus status) => (_names, _status) = (names.ToList().GetEnumerator(), status);

    /// <summary>The next entry; null when there are no more.</summary>
    public (string Name, FileStatus Status)? Next()
    {
        if (_names is not null)
            return _names.MoveNext() ? (_names.Current, _status) : null;
        while (_listing!.Next() is { } name)
            if (_listing.Status(name) is { } status)
                return (name, status);
        return null;
    }

    public void Dispose()
    {
        _listing?.Dispose();
        _names?.Dispose();
    }
}
