namespace Piku.Server.Ssh.Crypto;

/// <summary>Makes the cipher of one direction from what the key exchange derived for it.</summary>
/// <param name="mac">Keyed; null for a cipher that needs none. The cipher owns it.</param>
internal delegate PacketCipher CreateCipher(ReadOnlySpan<byte> key, ReadOnlySpan<byte> iv, Mac? mac);

/// <summary>A cipher for packets.</summary>
/// <param name="KeyLength">In bytes.</param>
/// <param name="IvLength">In bytes.</param>
internal sealed record CipherAlgorithm(string Name, int KeyLength, int IvLength, CreateCipher Create)
{
    /// <summary>All that we can do, the best first.</summary>
    public static IReadOnlyList<CipherAlgorithm> All { get; } =
    [
        new("chacha20-poly1305@openssh.com", ChaCha20Poly1305Cipher.KeyLength, 0, (key, _, _) => new ChaCha20Poly1305Cipher(key)),
        new("aes256-gcm@openssh.com", 32, AesGcmCipher.NonceLength, (key, iv, _) => new AesGcmCipher(key, iv)),
        new("aes128-gcm@openssh.com", 16, AesGcmCipher.NonceLength, (key, iv, _) => new AesGcmCipher(key, iv)),
        new("aes256-ctr", 32, AesCtr.BlockSize, CreateAesCtr) { NeedsMac = true },
        new("aes128-ctr", 16, AesCtr.BlockSize, CreateAesCtr) { NeedsMac = true },
    ];

    /// <summary>Whether a MAC is negotiated with it. The others authenticate by themselves (AEAD).</summary>
    public bool NeedsMac { get; private init; }

    private static PacketCipher CreateAesCtr(ReadOnlySpan<byte> key, ReadOnlySpan<byte> iv, Mac? mac) =>
        mac!.IsOverCiphertext ? new AesCtrEtmCipher(key, iv, mac) : new AesCtrCipher(key, iv, mac);
}
