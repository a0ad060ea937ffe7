namespace Piku.Server.Ssh.Crypto;

/// <summary>Makes the cipher of one direction from what the key exchange derived for it.</summary>
/// <param name="mac">Keyed; null for a cipher that needs none. The cipher owns it.</param>
internal delegate PacketCipher CreateCipher(ReadOnlySpan<byte> key, ReadOnlySpan<byte> iv, Mac? mac);

/// <param name="KeyLength">In bytes.</param>
/// <param name="IvLength">In bytes.</param>
/// <param name="NeedsMac">Whether a MAC is negotiated with it; a cipher that authenticates as well (AEAD) needs none.</param>
internal sealed record CipherAlgorithm(string Name, int KeyLength, int IvLength, bool NeedsMac, CreateCipher Create)
{
    /// <summary>All that we can do, the best first.</summary>
    public static IReadOnlyList<CipherAlgorithm> All { get; } =
    [
        new("chacha20-poly1305@openssh.com", ChaCha20Poly1305Cipher.KeyLength, 0, NeedsMac: false, (key, _, _) => new ChaCha20Poly1305Cipher(key)),
        AesGcm("aes256-gcm@openssh.com", 32),
        AesGcm("aes128-gcm@openssh.com", 16),
        AesCtr("aes256-ctr", 32),
        AesCtr("aes128-ctr", 16),
    ];

    private static CipherAlgorithm AesGcm(string name, int keyLength) =>
        new(name, keyLength, AesGcmCipher.NonceLength, NeedsMac: false, (key, iv, _) => new AesGcmCipher(key, iv));

    private static CipherAlgorithm AesCtr(string name, int keyLength) =>
        new(name, keyLength, AesCtrCipher.IvLength, NeedsMac: true, (key, iv, mac) => new AesCtrCipher(key, iv, mac!));
}
