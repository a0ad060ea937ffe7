using System.Buffers.Binary;

namespace Piku.Server.Ssh.Crypto;

/// <summary>
/// AES-CTR with a MAC over the plain packet (RFC 4253, section 6.4), for older clients. The length is encrypted too,
/// so the first block is decrypted before anything is known to be authentic.
/// </summary>
internal sealed class AesCtrCipher(ReadOnlySpan<byte> key, ReadOnlySpan<byte> iv, Mac mac) : PacketCipher
{
    private readonly AesCtr _aes = new(key, iv);

    public override int BlockSize => AesCtr.BlockSize;

    public override int TagLength => mac.Length;

    public override int Unaligned => 0;

    public override int HeadLength => AesCtr.BlockSize;

    public override uint OpenLength(uint sequence, Span<byte> head)
    {
        _aes.Apply(head);
        return BinaryPrimitives.ReadUInt32BigEndian(head);
    }

    public override bool Open(uint sequence, Span<byte> packet)
    {
        _aes.Apply(packet[HeadLength..^TagLength]);
        return mac.Verify(sequence, packet[..^TagLength], packet[^TagLength..]);
    }

    public override void Seal(uint sequence, Span<byte> packet)
    {
        mac.Compute(sequence, packet[..^TagLength], packet[^TagLength..]);
        _aes.Apply(packet[..^TagLength]);
    }

    public override void Dispose()
    {
        _aes.Dispose();
        mac.Dispose();
    }
}
