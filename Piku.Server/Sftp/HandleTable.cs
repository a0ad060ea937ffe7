using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace Piku.Server.Sftp;

/// <summary>A file that a client has open.</summary>
internal sealed record OpenFile(SafeFileHandle Handle, bool CanWrite) : IDisposable
{
    public void Dispose() => Handle.Dispose();
}

/// <summary>What a client has open, by the handles that it was given: four bytes that are never used twice.</summary>
internal sealed class HandleTable : IDisposable
{
    /// <summary>How many may be open; clients use one or two at a time, sshfs as many as its programs.</summary>
    public const int Most = 100;

    private readonly Dictionary<uint, IDisposable> _open = [];
    private uint _last;

    /// <exception cref="SftpException">As many are open as may be.</exception>
    public void EnsureRoom()
    {
        if (_open.Count >= Most)
            throw new SftpException(StatusCode.Failure, "too many files are open");
    }

    public uint Add(IDisposable opened)
    {
        _open.Add(++_last, opened);
        return _last;
    }

    public OpenFile File(ref SftpReader reader) => Find<OpenFile>(ref reader);

    public OpenFile FileToWrite(ref SftpReader reader) => File(ref reader) is { CanWrite: true } file
        ? file
        : throw new SftpException(StatusCode.PermissionDenied, "the file was not opened to be written");

    public FolderEntries Folder(ref SftpReader reader) => Find<FolderEntries>(ref reader);

    public void Close(ref SftpReader reader)
    {
        if (!_open.Remove(Number(ref reader), out var opened))
            throw Unknown();
        opened.Dispose();
    }

    public void Dispose()
    {
        foreach (var opened in _open.Values)
            opened.Dispose();
        _open.Clear();
    }

    private T Find<T>(ref SftpReader reader)
        where T : class => _open.GetValueOrDefault(Number(ref reader)) as T ?? throw Unknown();

    private static uint Number(ref SftpReader reader) =>
        reader.ReadString() is { Length: sizeof(uint) } bytes ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : throw Unknown();

    private static SftpException Unknown() => new(StatusCode.Failure, "there is no such handle");
}
