using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Piku.Server.Sftp;

/// <summary>Gathers answers, one after the other, until they are sent.</summary>
internal sealed class SftpWriter
{
    private readonly ArrayBufferWriter<byte> _buffer = new();
    private int _start;

    public int Length => _buffer.WrittenCount;

    public ReadOnlyMemory<byte> Written => _buffer.WrittenMemory;

    /// <summary>Begins an answer.</summary>
    public void Begin(PacketType type, uint id)
    {
        _start = _buffer.WrittenCount;
        WriteUInt32(0);
        WriteByte((byte)type);
        WriteUInt32(id);
    }

    /// <summary>Ends it: its length, which is the first field, is known now.</summary>
    public void End() => Patch(_start, _buffer.WrittenCount - _start - sizeof(uint));

    /// <summary>Drops an answer that was begun.</summary>
    public void Undo()
    {
        var kept = _buffer.WrittenSpan[.._start].ToArray();
        _buffer.ResetWrittenCount();
        _buffer.Write(kept);
    }

    /// <summary>Forgets what has been sent.</summary>
    public void Clear()
    {
        _buffer.ResetWrittenCount();
        _start = 0;
    }

    public void WriteByte(byte value) => _buffer.Write([value]);

    public void WriteUInt32(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(_buffer.GetSpan(sizeof(uint)), value);
        _buffer.Advance(sizeof(uint));
    }

    public void WriteUInt64(ulong value)
    {
        BinaryPrimitives.WriteUInt64BigEndian(_buffer.GetSpan(sizeof(ulong)), value);
        _buffer.Advance(sizeof(ulong));
    }

    public void WriteText(string text)
    {
        WriteUInt32((uint)Encoding.UTF8.GetByteCount(text));
        Encoding.UTF8.GetBytes(text, _buffer);
    }

    /// <summary>A string of which only a bound of the length is known yet.</summary>
    /// <param name="fill">Writes it, and returns its length.</param>
    /// <returns>The length.</returns>
    public int WriteString(int most, Func<Span<byte>, int> fill)
    {
        var length = fill(_buffer.GetSpan(sizeof(uint) + most).Slice(sizeof(uint), most));
        BinaryPrimitives.WriteInt32BigEndian(_buffer.GetSpan(sizeof(uint)), length);
        _buffer.Advance(sizeof(uint) + length);
        return length;
    }

    /// <summary>Leaves room for a number that is known later.</summary>
    public int Reserve()
    {
        WriteUInt32(0);
        return _buffer.WrittenCount - sizeof(uint);
    }

    public void Patch(int position, int value)
    {
        MemoryMarshal.TryGetArray(_buffer.WrittenMemory, out var bytes);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(position), value);
    }
}
