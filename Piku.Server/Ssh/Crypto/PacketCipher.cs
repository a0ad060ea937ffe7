namespace Piku.Server.Ssh.Crypto;

/// <summary>
/// Protects the packets of one direction (RFC 4253, section 6), in place. A packet is
/// <c>uint32 length | byte padding_length | payload | padding | tag</c>; the length counts neither itself nor the tag.
/// Not safe for use by two threads at once.
/// </summary>
internal abstract class PacketCipher : IDisposable
{
    /// <summary>Padding fills the packet up to a multiple of this many bytes.</summary>
    public abstract int BlockSize { get; }

    /// <summary>Bytes of tag or MAC after the packet.</summary>
    public abstract int TagLength { get; }

    /// <summary>Leading bytes that do not count for the alignment: the length field, where it is not part of the cipher's blocks.</summary>
    public virtual int Unaligned => sizeof(uint);

    /// <summary>Leading bytes that must have arrived before the length can be read.</summary>
    public virtual int HeadLength => sizeof(uint);

    /// <summary>Reads the packet's length from its first <see cref="HeadLength"/> bytes. Called once for each packet, before <see cref="Open"/>.</summary>
    public abstract uint OpenLength(uint sequence, Span<byte> head);

    /// <summary>Authenticates and decrypts a packet, tag included; false when it is not authentic, and then it is not to be used.</summary>
    public abstract bool Open(uint sequence, Span<byte> packet);

    /// <summary>Encrypts a packet whose last <see cref="TagLength"/> bytes are room for the tag.</summary>
    public abstract void Seal(uint sequence, Span<byte> packet);

    /// <summary>Bytes of padding for a payload: at least four, and as many as the alignment needs (RFC 4253, section 6).</summary>
    public int PaddingFor(int payloadLength)
    {
        const int least = 4;
        var aligned = sizeof(uint) + 1 + payloadLength + least - Unaligned;
        return least + ((BlockSize - (aligned % BlockSize)) % BlockSize);
    }

    public abstract void Dispose();
}
