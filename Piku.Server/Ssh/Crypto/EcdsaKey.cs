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
            SignatureAlgorithm.Plain(name, (key, data, signature) => Verify(ref key, data, signature)));

        bool Verify(ref SshReader key, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
        {
            using var ecdsa = Read(ref key, curveName, curve);
            return EcdsaKey.Verify(ecdsa, data, signature, hash);
        }
    }

    /// <summary>Reads <c>string curve, string Q</c>.</summary>
    /// <exception cref="SshProtocolException">It is another curve, or the point is not on it.</exception>
    public static ECDsa Read(ref SshReader reader, string curveName, ECCurve curve)
    {
        if (!reader.ReadString().SequenceEqual(Encoding.ASCII.GetBytes(curveName)))
            throw new SshProtocolException("the key's curve is not its type's");
        var point = reader.ReadString();
        try
        {
            var key = ECDsa.Create(new ECParameters { Curve = curve, Q = Point(point, point.Length / 2) });
            if (point.Length / 2 == FieldLength(key))
                return key;
            key.Dispose();
        }
        catch (CryptographicException)
        {
            // libcrypto checks that the point is on the curve.
        }
        throw new SshProtocolException("the key's point is not on its curve");
    }

    /// <summary>Whether <c>mpint r, mpint s</c> is the key's signature over the data.</summary>
    public static bool Verify(ECDsa key, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature, HashAlgorithmName hash)
    {
        Span<byte> pair = stackalloc byte[2 * FieldLength(key)];
        return TryReadSignature(signature, pair)
            && key.VerifyData(data, pair, hash, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }

    /// <summary>Signs, into <c>mpint r, mpint s</c>.</summary>
    public static byte[] Sign(ECDsa key, ReadOnlySpan<byte> data, HashAlgorithmName hash)
    {
        var pair = key.SignData(data, hash, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        using var signature = new SshWriter();
        signature.WriteMpint(pair.AsSpan(0, pair.Length / 2));
        signature.WriteMpint(pair.AsSpan(pair.Length / 2));
        return signature.Written.ToArray();
    }

    /// <summary>A point from its uncompressed form (SEC 1, section 2.3.4).</summary>
    /// <param name="length">Of a coordinate, in bytes.</param>
    /// <exception cref="CryptographicException">The bytes are not of that form.</exception>
    public static ECPoint Point(ReadOnlySpan<byte> bytes, int length) =>
        bytes.Length == 1 + (2 * length) && bytes[0] == Uncompressed
            ? new() { X = bytes.Slice(1, length).ToArray(), Y = bytes[(1 + length)..].ToArray() }
            : throw new CryptographicException("the point is not an uncompressed one");

    /// <summary>A point's uncompressed form.</summary>
    public static byte[] Bytes(ECPoint point) => [Uncompressed, .. point.X!, .. point.Y!];

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
