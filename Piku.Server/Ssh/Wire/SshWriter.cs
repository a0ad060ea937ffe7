using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Piku.Server.Ssh.Wire;

/// <summary>
/// Writes the data types of RFC 4251, section 5, into a pooled buffer, which goes back, cleared, when the writer
/// is disposed of.
/// </summary>
internal ref struct SshWriter
{
    private const int FirstCapacity = 512;

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(FirstCapacity);
    private int _length;

    public SshWriter()
    {
    }

    public SshWriter(MessageNumber number) => WriteByte((byte)number);

    /// <summary>What has been written; valid until the next write.</summary>
    public readonly ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _length);

    public void WriteByte(byte value) => Extend(1)[0] = value;

    public void WriteBoolean(bool value) => WriteByte(value ? (byte)1 : (byte)0);

    public void WriteUInt32(uint value) => BinaryPrimitives.WriteUInt32BigEndian(Extend(sizeof(uint)), value);

    public void WriteBytes(scoped ReadOnlySpan<byte> bytes) => bytes.CopyTo(Extend(bytes.Length));

    public void WriteString(scoped ReadOnlySpan<byte> bytes)
    {
        WriteUInt32((uint)bytes.Length);
        WriteBytes(bytes);
    }

    public void WriteText(string text)
    {
        var length = Encoding.UTF8.GetByteCount(text);
        WriteUInt32((uint)length);
        Encoding.UTF8.GetBytes(text, Extend(length));
    }

    public void WriteNameList(params IEnumerable<string> names) => WriteText(string.Join(',', names));

    /// <summary>A non-negative number from its big-endian magnitude; leading zeros are dropped.</summary>
    public void WriteMpint(scoped ReadOnlySpan<byte> magnitude)
    {
        magnitude = magnitude.TrimStart((byte)0);
        var signed = !magnitude.IsEmpty && magnitude[0] >= 0x80;
        WriteUInt32((uint)magnitude.Length + (signed ? 1u : 0u));
        if (signed)
            WriteByte(0);
        WriteBytes(magnitude);
    }

    public void Dispose()
    {
        Return();
        _buffer = [];
        _length = 0;
    }

    private Span<byte> Extend(int count)
    {
        if (count > _buffer.Length - _length)
            Grow(count);
        var extension = _buffer.AsSpan(_length, count);
        _length += count;
        return extension;
    }

    private void Grow(int count)
    {
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_length + count, _buffer.Length * 2));
        Written.CopyTo(larger);
        Return();
        _buffer = larger;
    }

    // What was written may have been a secret.
    private readonly void Return()
    {
        _buffer.AsSpan(0, _length).Clear();
        if (_buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(_buffer);
    }
}
