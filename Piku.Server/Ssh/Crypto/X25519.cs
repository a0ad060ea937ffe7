using System.Security.Cryptography;

namespace Piku.Server.Ssh.Crypto;

/// <summary>Diffie-Hellman over Curve25519 (RFC 7748).</summary>
internal sealed class X25519 : IDisposable
{
    public const int KeyLength = 32;

    private readonly KeyHandle _key;

    /// <summary>Takes a private key of 32 random bytes.</summary>
    public X25519(ReadOnlySpan<byte> privateKey)
    {
        _key = LibCrypto.Check(LibCrypto.EVP_PKEY_new_raw_private_key(LibCrypto.X25519, 0, privateKey, (nuint)privateKey.Length));
        var length = (nuint)KeyLength;
        LibCrypto.Check(LibCrypto.EVP_PKEY_get_raw_public_key(_key, PublicKey, ref length));
    }

    public byte[] PublicKey { get; } = new byte[KeyLength];

    /// <summary>A key pair for one use.</summary>
    public static X25519 Generate()
    {
        Span<byte> privateKey = stackalloc byte[KeyLength];
        RandomNumberGenerator.Fill(privateKey);
        try
        {
            return new X25519(privateKey);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(privateKey);
        }
    }

    /// <summary>The shared secret, 32 bytes.</summary>
    /// <exception cref="CryptographicException">
    /// The peer's key is not 32 bytes long or gives the all-zero secret (RFC 7748, section 6.1).
    /// </exception>
    public byte[] Agree(ReadOnlySpan<byte> peerPublicKey)
    {
        using var peer = LibCrypto.Check(
            LibCrypto.EVP_PKEY_new_raw_public_key(LibCrypto.X25519, 0, peerPublicKey, (nuint)peerPublicKey.Length));
        using var context = LibCrypto.Check(LibCrypto.EVP_PKEY_CTX_new(_key, 0));
        var secret = new byte[KeyLength];
        var length = (nuint)secret.Length;
        LibCrypto.Check(LibCrypto.EVP_PKEY_derive_init(context));
        LibCrypto.Check(LibCrypto.EVP_PKEY_derive_set_peer(context, peer));
        LibCrypto.Check(LibCrypto.EVP_PKEY_derive(context, secret, ref length));
        return secret;
    }

    public void Dispose() => _key.Dispose();
}
