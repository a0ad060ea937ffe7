using System.Security.Cryptography;
using Piku.Server.Ssh.Wire;

namespace Piku.Server.Ssh.Crypto;

/// <summary>RSA with SHA-2 (RFC 8332): <c>mpint e, mpint n</c>, PKCS#1 v1.5 signatures.</summary>
internal static class RsaKey
{
    /// <summary>In bits. 2048 is NIST SP 800-131A's least; above 16384, OpenSSH's most, checking a signature takes too long.</summary>
    public const int MinModulus = 2048, MaxModulus = 16384;

    // An exponent beyond 64 bits serves nobody and makes checking slow.
    private const int MaxExponentLength = 8;

    public static void Check(ref SshReader reader)
    {
        var exponent = reader.ReadMpint();
        var modulus = reader.ReadMpint();
        if (Bits(modulus) is < MinModulus or > MaxModulus)
            throw new SshProtocolException($"an RSA key has {MinModulus} to {MaxModulus} bits");
        if (exponent.Length is 0 or > MaxExponentLength || (exponent[^1] & 1) == 0 || (modulus[^1] & 1) == 0)
            throw new SshProtocolException("the RSA key is not a valid one");
    }

    public static bool Verify(SshReader key, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature, HashAlgorithmName hash)
    {
        var exponent = key.ReadMpint().ToArray();
        var modulus = key.ReadMpint().ToArray();
        if (signature.Length > modulus.Length)
            return false;
        // Some clients drop leading zeros.
        Span<byte> padded = new byte[modulus.Length];
        signature.CopyTo(padded[^signature.Length..]);
        using var rsa = RSA.Create(new RSAParameters { Exponent = exponent, Modulus = modulus });
        return rsa.VerifyData(data, padded, hash, RSASignaturePadding.Pkcs1);
    }

    private static int Bits(ReadOnlySpan<byte> magnitude) =>
        magnitude.IsEmpty ? 0 : (magnitude.Length * 8) - (byte.LeadingZeroCount(magnitude[0]));
}
