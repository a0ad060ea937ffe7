using System.Security.Cryptography;
using System.Text;
using Piku.Server.Ssh.Wire;

namespace Piku.Server.Ssh.Crypto;

/// <summary>ECDSA over the NIST curves (RFC 5656, section 3): <c>string curve, string Q</c> with an uncompressed point.</summary>
internal static class EcdsaKey
{
    private const byte Uncompressed = 4;

    public static UserKeyType Type(string curveName, ECCurve curve, HashAlgorithmName hash)
    {
        var name = "ecdsa-sha2-" + curveName;
        return new(name, (ref SshReader reader) => Read(ref reader, curveName, curve).Dispose(),
            new SignatureAlgorithm(name, (key, data, signature) => Verify(ref key, data, signature)));

        bool Verify(ref SshReader key, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
        {
            using var ecdsa = Read(ref key, curveName, curve);
            Span<byte> pair = stackalloc byte[2 * FieldLength(ecdsa)];
            return TryReadSignature(signature, pair)
                && ecdsa.VerifyData(data, pair, hash, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        }
    }

    private static ECDsa Read(ref SshReader reader, string curveName, ECCurve curve)
    {
        if (!reader.ReadString().SequenceEqual(Encoding.ASCII.GetBytes(curveName)))
            throw new SshProtocolException("the key's curve is not its type's");
        var point = reader.ReadString();
        if (point.Length % 2 != 1 || point[0] != Uncompressed)
            throw new SshProtocolException("the key's point is not an uncompressed one");
        var half = point.Length / 2;
        try
        {
            var key = ECDsa.Create(new ECParameters
            {
                Curve = curve,
                Q = { X = point.Slice(1, half).ToArray(), Y = point[(1 + half)..].ToArray() },
            });
            if (half == FieldLength(key))
                return key;
            key.Dispose();
        }
        catch (CryptographicException)
        {
            // libcrypto checks that the point is on the curve.
        }
        throw new SshProtocolException("the key's point is not on its curve");
    }

    private static int FieldLength(ECDsa key) => (key.KeySize + 7) / 8;

    // mpint r, mpint s → both padded to the field's length
    private static bool TryReadSignature(ReadOnlySpan<byte> signature, Span<byte> pair)
    {
        pair.Clear();
        var half = pair.Length / 2;
        var reader = new SshReader(signature);
        var r = reader.ReadMpint();
        var s = reader.ReadMpint();
        reader.End();
        if (r.Length > half || s.Length > half)
            return false;
        r.CopyTo(pair[(half - r.Length)..half]);
        s.CopyTo(pair[^s.Length..]);
        return true;
    }
}
