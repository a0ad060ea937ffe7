namespace Piku.Server.Ssh.Crypto;

/// <summary>Ed25519 signatures (RFC 8032, section 5.1).</summary>
internal sealed class Ed25519 : IDisposable
{
    public const int KeyLength = 32, SignatureLength = 64;

    private readonly KeyHandle _key;

    /// <summary>Takes a private key: RFC 8032's 32 random bytes.</summary>
    public Ed25519(ReadOnlySpan<byte> privateKey)
    {
        _key = LibCrypto.Check(LibCrypto.EVP_PKEY_new_raw_private_key(LibCrypto.Ed25519, 0, privateKey, (nuint)privateKey.Length));
        var length = (nuint)KeyLength;
        LibCrypto.Check(LibCrypto.EVP_PKEY_get_raw_public_key(_key, PublicKey, ref length));
    }

    public byte[] PublicKey { get; } = new byte[KeyLength];

    public byte[] Sign(ReadOnlySpan<byte> data)
    {
        using var context = LibCrypto.Check(LibCrypto.EVP_MD_CTX_new());
        var signature = new byte[SignatureLength];
        var length = (nuint)signature.Length;
        LibCrypto.Check(LibCrypto.EVP_DigestSignInit(context, 0, 0, 0, _key));
        LibCrypto.Check(LibCrypto.EVP_DigestSign(context, signature, ref length, data, (nuint)data.Length));
        return signature;
    }

    /// <summary>Whether the signature over the data is the key's; false for anything malformed too.</summary>
    public static bool Verify(ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        if (publicKey.Length != KeyLength || signature.Length != SignatureLength)
            return false;
        using var key = LibCrypto.Check(
            LibCrypto.EVP_PKEY_new_raw_public_key(LibCrypto.Ed25519, 0, publicKey, (nuint)publicKey.Length));
        using var context = LibCrypto.Check(LibCrypto.EVP_MD_CTX_new());
        LibCrypto.Check(LibCrypto.EVP_DigestVerifyInit(context, 0, 0, 0, key));
        var genuine = LibCrypto.EVP_DigestVerify(context, signature, (nuint)signature.Length, data, (nuint)data.Length) == 1;
        if (!genuine)
            LibCrypto.ERR_clear_error();
        return genuine;
    }

    public void Dispose() => _key.Dispose();
}
