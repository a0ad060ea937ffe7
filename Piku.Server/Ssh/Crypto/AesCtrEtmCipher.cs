using System.Buffers.Binary;

namespace Piku.Server.Ssh.Crypto;

/// <summary>
/// AES-CTR with a MAC over what is sent (OpenSSH's PROTOCOL, section 1.5): the length is authenticated and not
/// encrypted, as with AES-GCM.
/// </summary>
internal sealed class AesCtrEtmCipher(ReadOnlySpan<byte> key, ReadOnlySpan<byte> iv, Mac mac) : PacketCipher
{
    private readonly AesCtr _aes = new(key, iv);

    public override int BlockSize => AesCtr.BlockSize;

    public override int TagLength => mac.Length;

    public override uint OpenLength(uint sequence, Span<byte> head) => BinaryPrimitives.ReadUInt32BigEndian(head);

    public override bool Open(uint sequence, Span<byte> packet)
    {
        if (!mac.Verify(sequence, packet[..^TagLength], packet[^TagLength..]))
            return false;
        _aes.Apply(packet[sizeof(uint)..^TagLength]);
        return true;
    }

    public override void Seal(uint sequence, Span<byte> packet)
    {
        _aes.Apply(packet[sizeof(uint)..^TagLength]);
        mac.Compute(sequence, packet[..^TagLength], packet[^TagLength..]);
    }

    public override void Dispose()
    {
        _aes.Dispose();
        mac.Dispose();
    }
}
