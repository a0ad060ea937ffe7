using System.Buffers.Binary;

namespace Piku.Server.Ssh.Crypto;

/// <summary>
/// aes128-ctr and aes256-ctr (RFC 4344, section 4) with a MAC over the encrypted packet, for clients without AEAD.
/// The length is authenticated and not encrypted.
/// </summary>
internal sealed class AesCtrCipher : PacketCipher
{
    public const int IvLength = 16;

    private static readonly nint Aes128 = LibCrypto.EVP_CIPHER_fetch(0, "AES-128-CTR", null);
    private static readonly nint Aes256 = LibCrypto.EVP_CIPHER_fetch(0, "AES-256-CTR", null);

    // The counter goes on from packet to packet.
    private readonly CipherContextHandle _aes = LibCrypto.Check(LibCrypto.EVP_CIPHER_CTX_new());
    private readonly Mac _mac;

    public AesCtrCipher(ReadOnlySpan<byte> key, ReadOnlySpan<byte> iv, Mac mac)
    {
        _mac = mac;
        LibCrypto.Check(LibCrypto.EVP_CipherInit_ex2(_aes, key.Length == 32 ? Aes256 : Aes128, key, iv, 1, 0));
    }

    public override int BlockSize => 16;

    public override int TagLength => _mac.Length;

    public override uint OpenLength(uint sequence, Span<byte> head) => BinaryPrimitives.ReadUInt32BigEndian(head);

    public override bool Open(uint sequence, Span<byte> packet)
    {
        if (!_mac.Verify(sequence, packet[..^TagLength], packet[^TagLength..]))
            return false;
        Apply(packet[sizeof(uint)..^TagLength]);
        return true;
    }

    public override void Seal(uint sequence, Span<byte> packet)
    {
        Apply(packet[sizeof(uint)..^TagLength]);
        _mac.Compute(sequence, packet[..^TagLength], packet[^TagLength..]);
    }

    public override void Dispose()
    {
        _aes.Dispose();
        _mac.Dispose();
    }

    private void Apply(Span<byte> body) => LibCrypto.Check(LibCrypto.EVP_CipherUpdate(_aes, body, out _, body, body.Length));
}
