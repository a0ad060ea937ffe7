using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;

namespace Piku.Server.Sftp;

/// <summary>Reads the fields of a request. What is cut short or no text is a bad message.</summary>
internal ref struct SftpReader(ReadOnlySpan<byte> packet)
{
    private ReadOnlySpan<byte> _rest = packet;

    public PacketType ReadType() => (PacketType)Take(1)[0];

    public uint ReadUInt32() => BinaryPrimitives.ReadUInt32BigEndian(Take(sizeof(uint)));

    public ulong ReadUInt64() => BinaryPrimitives.ReadUInt64BigEndian(Take(sizeof(ulong)));

    public ReadOnlySpan<byte> ReadString()
    {
        var length = ReadUInt32();
        return length <= int.MaxValue ? Take((int)length) : throw Truncated();
    }

    /// <summary>Paths are UTF-8 here; with another encoding no name would stay what it was.</summary>
    public string ReadText()
    {
        var bytes = ReadString();
        return Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : throw new SftpException(StatusCode.BadMessage, "a name is not UTF-8");
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _rest.Length)
            throw Truncated();
        var taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }

    private static SftpException Truncated() => new(StatusCode.BadMessage, "the request ends too early");
}
