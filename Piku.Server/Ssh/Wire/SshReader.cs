using System.Buffers.Binary;
using System.Text;

namespace Piku.Server.Ssh.Wire;

/// <summary>
/// Reads the data types of RFC 4251, section 5, from a stranger's bytes. Nothing is copied unless it becomes text,
/// and every length is checked against what is there.
/// </summary>
/// <exception cref="SshProtocolException">The data ends too early or is not what it should be.</exception>
internal ref struct SshReader(ReadOnlySpan<byte> data)
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private ReadOnlySpan<byte> _rest = data;

    /// <summary>What has not been read yet.</summary>
    public readonly ReadOnlySpan<byte> Rest => _rest;

    public MessageNumber ReadMessageNumber() => (MessageNumber)ReadByte();

    public byte ReadByte() => Take(1)[0];

    public bool ReadBoolean() => ReadByte() != 0;

    public uint ReadUInt32() => BinaryPrimitives.ReadUInt32BigEndian(Take(sizeof(uint)));

    public ulong ReadUInt64() => BinaryPrimitives.ReadUInt64BigEndian(Take(sizeof(ulong)));

    public ReadOnlySpan<byte> ReadBytes(int count) => Take(count);

    /// <summary>A string of bytes: uint32 length, then that many bytes.</summary>
    public ReadOnlySpan<byte> ReadString()
    {
        var length = ReadUInt32();
        return length <= (uint)_rest.Length ? Take((int)length) : throw Truncated();
    }

    /// <summary>A string that is text in UTF-8.</summary>
    public string ReadText()
    {
        var bytes = ReadString();
        try
        {
            return StrictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw new SshProtocolException("text is not valid UTF-8");
        }
    }

    /// <summary>A string that holds a name: printable US-ASCII (RFC 4251, section 6).</summary>
    public string ReadName() => Name(ReadString());

    /// <summary>
    /// A name-list: names separated by commas. None may be empty, but libssh 0.10 ends its lists of ciphers with a comma:
    /// what has no name is not in the list.
    /// </summary>
    public string[] ReadNameList() => Name(ReadString()).Split(',', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>A non-negative mpint, as its magnitude: big-endian, without leading zeros.</summary>
    public ReadOnlySpan<byte> ReadMpint()
    {
        var bytes = ReadString();
        if (!bytes.IsEmpty && bytes[0] >= 0x80)
            throw new SshProtocolException("a negative number where none may be");
        return bytes.TrimStart((byte)0);
    }

    /// <summary>Ends the reading: nothing may be left over.</summary>
    public readonly void End()
    {
        if (!_rest.IsEmpty)
            throw new SshProtocolException("data is longer than its content");
    }

    private static string Name(ReadOnlySpan<byte> bytes) =>
        bytes.ContainsAnyExceptInRange((byte)'!', (byte)'~')
            ? throw new SshProtocolException("a name is not printable US-ASCII")
            : Encoding.ASCII.GetString(bytes);

    private static SshProtocolException Truncated() => new("data ends too early");

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _rest.Length)
            throw Truncated();
        var taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }
}
