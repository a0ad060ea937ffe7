using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Piku.Core.Machine;

/// <summary>The entries of a folder, read bit by bit, however many there are. <c>.</c> and <c>..</c> are not among them.</summary>
public sealed class FolderListing : IDisposable
{
    private const int BufferSize = 8 * 1024;

    private readonly SafeFileHandle _folder;
    private readonly byte[] _buffer = new byte[BufferSize];
    private int _position;
    private int _end;

    internal FolderListing(SafeFileHandle folder) => _folder = folder;

    /// <summary>The next name, or null when there are no more.</summary>
    /// <exception cref="IOException">The disk fails.</exception>
    public string? Next() => NextBytes() is { } name ? Encoding.UTF8.GetString(name.AsSpan(..^1)) : null;

    /// <summary>The same as it is on the disk, which may be no text, with the NUL that ends it.</summary>
    public byte[]? NextBytes()
    {
        while (true)
        {
            if (_position == _end && !Fill())
                return null;
            // struct linux_dirent64: u64 inode, s64 offset, u16 length of the record, u8 type, name, NUL
            var record = _buffer.AsSpan(_position);
            record = record[..(BitConverter.IsLittleEndian ? BinaryPrimitives.ReadUInt16LittleEndian(record[16..]) : BinaryPrimitives.ReadUInt16BigEndian(record[16..]))];
            _position += record.Length;
            var name = record[19..];
            name = name[..(name.IndexOf((byte)0) + 1)];
            if (!name.SequenceEqual(".\0"u8) && !name.SequenceEqual("..\0"u8))
                return name.ToArray();
        }
    }

    /// <summary>What an entry is; a link itself, not what it points to. Null when it is gone.</summary>
    public FileStatus? Status(string name)
    {
        try
        {
            return Libc.Status(_folder, name);
        }
        catch (IOException)
        {
            return null;
        }
    }

    public void Dispose() => _folder.Dispose();

    private bool Fill()
    {
        _position = 0;
        _end = (int)Libc.ReadEntries(_folder, _buffer, BufferSize);
        return _end >= 0 ? _end > 0 : throw new IOException(Marshal.GetLastPInvokeErrorMessage(), Marshal.GetLastPInvokeError());
    }
}
