using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Piku.Server.Ssh.Crypto;

/// <summary>
/// aes128-gcm@openssh.com and aes256-gcm@openssh.com (RFC 5647 with OpenSSH's PROTOCOL, section 1.6): the length
/// is authenticated and not encrypted; the nonce is a fixed field and a counter of packets.
/// </summary>
internal sealed class AesGcmCipher : PacketCipher
{
    public const int NonceLength = 12;

    private const int CounterOffset = 4;

    private readonly AesGcm _aes;
    private readonly byte[] _nonce;

    public AesGcmCipher(ReadOnlySpan<byte> key, ReadOnlySpan<byte> nonce)
    {
        _aes = new AesGcm(key, TagLength);
        _nonce = nonce.ToArray();
    }

    public override int BlockSize => 16;

    public override int TagLength => 16;

    public override uint OpenLength(uint sequence, Span<byte> head) => BinaryPrimitives.ReadUInt32BigEndian(head);

    public override bool Open(uint sequence, Span<byte> packet)
    {
        var body = packet[sizeof(uint)..^TagLength];
        try
        {
            _aes.Decrypt(_nonce, body, packet[^TagLength..], body, packet[..sizeof(uint)]);
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
        CountPacket();
        return true;
    }

    public override void Seal(uint sequence, Span<byte> packet)
    {
        var body = packet[sizeof(uint)..^TagLength];
        _aes.Encrypt(_nonce, body, body, packet[^TagLength..], packet[..sizeof(uint)]);
        CountPacket();
    }

    public override void Dispose() => _aes.Dispose();

    private void CountPacket()
    {
        var counter = _nonce.AsSpan(CounterOffset);
        BinaryPrimitives.WriteUInt64BigEndian(counter, BinaryPrimitives.ReadUInt64BigEndian(counter) + 1);
    }
}
