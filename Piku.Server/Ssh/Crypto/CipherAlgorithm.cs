namespace Piku.Server.Ssh.Crypto;

/// <summary>Makes the cipher of one direction from what the key exchange derived for it.</summary>
internal delegate PacketCipher CreateCipher(ReadOnlySpan<byte> key, ReadOnlySpan<byte> iv);

/// <summary>A cipher that authenticates as well (AEAD), so that no MAC is negotiated with it.</summary>
/// <param name="KeyLength">In bytes.</param>
/// <param name="IvLength">In bytes.</param>
internal sealed record CipherAlgorithm(string Name, int KeyLength, int IvLength, CreateCipher Create)
{
    /// <summary>All that we can do, the best first.</summary>
    public static IReadOnlyList<CipherAlgorithm> All { get; } =
    [
        new("chacha20-poly1305@openssh.com", ChaCha20Poly1305Cipher.KeyLength, 0, (key, _) => new ChaCha20Poly1305Cipher(key)),
        new("aes256-gcm@openssh.com", 32, AesGcmCipher.NonceLength, (key, iv) => new AesGcmCipher(key, iv)),
        new("aes128-gcm@openssh.com", 16, AesGcmCipher.NonceLength, (key, iv) => new AesGcmCipher(key, iv)),
    ];
}
