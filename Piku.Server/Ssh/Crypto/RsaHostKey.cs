using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Security.Cryptography;
using Piku.Server.Ssh.Wire;

namespace Piku.Server.Ssh.Crypto;

/// <summary>
/// Host keys of type <c>ssh-rsa</c>, which sign with SHA-2 only (RFC 8332):
/// <c>mpint n, mpint e, mpint d, mpint q⁻¹ mod p, mpint p, mpint q</c>.
/// </summary>
internal static class RsaHostKey
{
    public const string Name = "ssh-rsa";

    /// <summary>In bits: as strong as the ciphers' 128 (NIST SP 800-57, part 1, table 2), and what ssh-keygen makes.</summary>
    private const int Size = 3072;

    [SuppressMessage("Reliability", "CA2000", Justification = "The host key signs with it for as long as the process lives.")]
    public static HostKey Read(ref SshReader reader)
    {
        var modulus = reader.ReadMpint();
        var exponent = reader.ReadMpint();
        var secret = reader.ReadMpint();
        var inverse = reader.ReadMpint();
        var p = reader.ReadMpint();
        var q = reader.ReadMpint();
        CheckFactors(modulus, secret, exponent, p, q);
        var half = (modulus.Length + 1) / 2;
        var key = RSA.Create(new RSAParameters
        {
            Modulus = modulus.ToArray(),
            Exponent = exponent.ToArray(),
            D = Padded(secret, modulus.Length),
            P = Padded(p, half),
            Q = Padded(q, half),
            DP = Padded(Remainder(secret, p), half),
            DQ = Padded(Remainder(secret, q), half),
            InverseQ = Padded(inverse, half),
        });
        return new(Name, Blob(exponent, modulus), [Algorithm("rsa-sha2-512", key, HashAlgorithmName.SHA512), Algorithm("rsa-sha2-256", key, HashAlgorithmName.SHA256)]);
    }

    public static byte[] Generate()
    {
        using var rsa = RSA.Create(Size);
        var key = rsa.ExportParameters(includePrivateParameters: true);
        using var writer = new SshWriter();
        writer.WriteText(Name);
        foreach (var number in new[] { key.Modulus, key.Exponent, key.D, key.InverseQ, key.P, key.Q })
        {
            writer.WriteMpint(number);
            CryptographicOperations.ZeroMemory(number);
        }
        return writer.Written.ToArray();
    }

    private static HostKeyAlgorithm Algorithm(string name, RSA key, HashAlgorithmName hash) => new(name, data =>
    {
        lock (key) // .NET does not promise that it may be shared
            return key.SignData(data, hash, RSASignaturePadding.Pkcs1);
    });

    private static byte[] Blob(ReadOnlySpan<byte> exponent, ReadOnlySpan<byte> modulus)
    {
        using var blob = new SshWriter();
        blob.WriteText(Name);
        blob.WriteMpint(exponent);
        blob.WriteMpint(modulus);
        return blob.Written.ToArray();
    }

    // A wrong factor would give the private key away with the first signature (Boneh, DeMillo and Lipton, 1997).
    private static void CheckFactors(
        ReadOnlySpan<byte> modulus, ReadOnlySpan<byte> secret, ReadOnlySpan<byte> exponent, ReadOnlySpan<byte> p, ReadOnlySpan<byte> q)
    {
        var (first, second) = (Number(p), Number(q));
        var product = Number(secret) * Number(exponent);
        if (first <= 1 || second <= 1 || first * second != Number(modulus)
            || product % (first - 1) != 1 || product % (second - 1) != 1)
        {
            throw new SshProtocolException("its numbers do not belong together");
        }
    }

    private static byte[] Remainder(ReadOnlySpan<byte> secret, ReadOnlySpan<byte> prime) =>
        (Number(secret) % (Number(prime) - 1)).ToByteArray(isUnsigned: true, isBigEndian: true);

    private static BigInteger Number(ReadOnlySpan<byte> magnitude) => new(magnitude, isUnsigned: true, isBigEndian: true);

    private static byte[] Padded(ReadOnlySpan<byte> magnitude, int length)
    {
        if (magnitude.Length > length)
            throw new SshProtocolException("one of its numbers is too large");
        var padded = new byte[length];
        magnitude.CopyTo(padded.AsSpan(length - magnitude.Length));
        return padded;
    }
}
