using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Piku.Server.Ssh.Crypto;

/// <summary>
/// chacha20-poly1305@openssh.com (OpenSSH's PROTOCOL.chacha20poly1305): one ChaCha20 key for the length, another
/// for the body, a Poly1305 key from the body's block 0, the packet's sequence number as nonce. The counter and
/// the nonce have 64 bits each, so .NET's ChaCha20Poly1305, which is RFC 8439's variant, does not fit.
/// </summary>
internal sealed class ChaCha20Poly1305Cipher : PacketCipher
{
    public const int KeyLength = 64;

    private const int ChaChaKeyLength = 32, ChaChaBlock = 64, PolyKeyLength = 32;

    // Fetched once: looking an algorithm up costs more than encrypting a small packet.
    private static readonly nint ChaCha20 = LibCrypto.EVP_CIPHER_fetch(0, "ChaCha20", null);
    private static readonly nint Poly1305 = LibCrypto.EVP_MAC_fetch(0, "POLY1305", null);

    private readonly CipherContextHandle _body;
    private readonly CipherContextHandle _length;
    private readonly MacContextHandle _mac = LibCrypto.Check(LibCrypto.EVP_MAC_CTX_new(Poly1305));

    public ChaCha20Poly1305Cipher(ReadOnlySpan<byte> key)
    {
        _body = Keyed(key[..ChaChaKeyLength]);
        _length = Keyed(key[ChaChaKeyLength..]);
    }

    public override int BlockSize => 8;

    public override int TagLength => 16;

    public override uint OpenLength(uint sequence, Span<byte> head)
    {
        // Not in place: the tag is over the encrypted length.
        Span<byte> length = stackalloc byte[sizeof(uint)];
        Start(_length, sequence);
        Apply(_length, head, length);
        return BinaryPrimitives.ReadUInt32BigEndian(length);
    }

    public override bool Open(uint sequence, Span<byte> packet)
    {
        Span<byte> tag = stackalloc byte[TagLength];
        Span<byte> block0 = stackalloc byte[ChaChaBlock];
        StartBody(sequence, block0);
        Authenticate(block0[..PolyKeyLength], packet[..^TagLength], tag);
        if (!CryptographicOperations.FixedTimeEquals(tag, packet[^TagLength..]))
            return false;
        var body = packet[sizeof(uint)..^TagLength];
        Apply(_body, body, body);
        return true;
    }

    public override void Seal(uint sequence, Span<byte> packet)
    {
        var length = packet[..sizeof(uint)];
        Start(_length, sequence);
        Apply(_length, length, length);

        Span<byte> block0 = stackalloc byte[ChaChaBlock];
        StartBody(sequence, block0);
        var body = packet[sizeof(uint)..^TagLength];
        Apply(_body, body, body);
        Authenticate(block0[..PolyKeyLength], packet[..^TagLength], packet[^TagLength..]);
    }

    public override void Dispose()
    {
        _body.Dispose();
        _length.Dispose();
        _mac.Dispose();
    }

    private static CipherContextHandle Keyed(ReadOnlySpan<byte> key)
    {
        var context = LibCrypto.Check(LibCrypto.EVP_CIPHER_CTX_new());
        LibCrypto.Check(LibCrypto.EVP_CipherInit_ex2(context, ChaCha20, key, [], 1, 0));
        return context;
    }

    // libcrypto's IV is the block counter, little-endian, and then the nonce.
    private static void Start(CipherContextHandle context, uint sequence)
    {
        Span<byte> iv = stackalloc byte[16];
        iv.Clear();
        BinaryPrimitives.WriteUInt64BigEndian(iv[8..], sequence);
        LibCrypto.Check(LibCrypto.EVP_CipherInit_ex2(context, 0, [], iv, -1, 0));
    }

    private static void Apply(CipherContextHandle context, ReadOnlySpan<byte> input, Span<byte> output) =>
        LibCrypto.Check(LibCrypto.EVP_CipherUpdate(context, output, out _, input, input.Length));

    // Taking block 0 for the Poly1305 key leaves the context where the body begins, at block 1.
    private void StartBody(uint sequence, Span<byte> block0)
    {
        Start(_body, sequence);
        block0.Clear();
        Apply(_body, block0, block0);
    }

    private void Authenticate(ReadOnlySpan<byte> key, ReadOnlySpan<byte> data, Span<byte> tag)
    {
        LibCrypto.Check(LibCrypto.EVP_MAC_init(_mac, key, (nuint)key.Length, 0));
        LibCrypto.Check(LibCrypto.EVP_MAC_update(_mac, data, (nuint)data.Length));
        LibCrypto.Check(LibCrypto.EVP_MAC_final(_mac, tag, out _, (nuint)tag.Length));
    }
}
