using System.Buffers.Binary;

namespace Piku.Server.Ssh.Crypto;

/// <summary>No protection: what both sides use until the first key exchange is done (RFC 4253, section 6).</summary>
internal sealed class PlainCipher : PacketCipher
{
    public static readonly PlainCipher Instance = new();

    private PlainCipher()
    {
    }

    public override int BlockSize => 8;

    public override int TagLength => 0;

    public override int Unaligned => 0;

    public override uint OpenLength(uint sequence, Span<byte> head) => BinaryPrimitives.ReadUInt32BigEndian(head);

    public override bool Open(uint sequence, Span<byte> packet) => true;

    public override void Seal(uint sequence, Span<byte> packet)
    {
    }

    public override void Dispose()
    {
    }
}
