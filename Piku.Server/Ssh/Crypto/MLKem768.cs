using System.Security.Cryptography;

namespace Piku.Server.Ssh.Crypto;

/// <summary>ML-KEM-768 (FIPS 203), where the platform has it: OpenSSL from 3.5 on.</summary>
internal static class MLKem768
{
    /// <summary>In bytes.</summary>
    public const int PublicKeyLength = 1184;

    public static bool IsSupported => MLKem.IsSupported;

    /// <returns>The ciphertext, and the secret of 32 bytes that it carries.</returns>
    /// <exception cref="CryptographicException">It is not a public key (FIPS 203, section 7.2).</exception>
    public static (byte[] Ciphertext, byte[] Secret) Encapsulate(ReadOnlySpan<byte> publicKey)
    {
        using var key = MLKem.ImportEncapsulationKey(MLKemAlgorithm.MLKem768, publicKey);
        key.Encapsulate(out var ciphertext, out var secret);
        return (ciphertext, secret);
    }
}
