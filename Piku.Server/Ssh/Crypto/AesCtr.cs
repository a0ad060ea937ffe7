namespace Piku.Server.Ssh.Crypto;

/// <summary>AES in counter mode (RFC 4344, section 4): one stream of key for all packets of a direction.</summary>
internal sealed class AesCtr : IDisposable
{
    public const int BlockSize = 16;

    private static readonly nint Aes128 = LibCrypto.EVP_CIPHER_fetch(0, "AES-128-CTR", null);
    private static readonly nint Aes256 = LibCrypto.EVP_CIPHER_fetch(0, "AES-256-CTR", null);

    private readonly CipherContextHandle _context = LibCrypto.Check(LibCrypto.EVP_CIPHER_CTX_new());

    /// <param name="key">Of 16 or 32 bytes.</param>
    /// <param name="counter">The first counter block.</param>
    public AesCtr(ReadOnlySpan<byte> key, ReadOnlySpan<byte> counter) =>
        LibCrypto.Check(LibCrypto.EVP_CipherInit_ex2(_context, key.Length == 32 ? Aes256 : Aes128, key, counter, 1, 0));

    /// <summary>Encrypts or decrypts, in place, what comes next.</summary>
    public void Apply(Span<byte> data) => LibCrypto.Check(LibCrypto.EVP_CipherUpdate(_context, data, out _, data, data.Length));

    public void Dispose() => _context.Dispose();
}
