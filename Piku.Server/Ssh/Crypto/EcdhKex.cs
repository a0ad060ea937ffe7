using System.Security.Cryptography;
using Piku.Server.Ssh.Wire;

namespace Piku.Server.Ssh.Crypto;

/// <summary>Diffie-Hellman over the NIST curves (RFC 5656, section 4), for clients without Curve25519.</summary>
internal static class EcdhKex
{
    public static KexAlgorithm Algorithm(string curveName, ECCurve curve, HashAlgorithmName hash)
    {
        return new("ecdh-sha2-" + curveName, hash, Answer);

        KexAnswer Answer(ReadOnlySpan<byte> clientShare)
        {
            using var ours = ECDiffieHellman.Create(curve);
            var point = ours.ExportParameters(includePrivateParameters: false).Q;
            using var theirs = ECDiffieHellman.Create(new ECParameters { Curve = curve, Q = EcdsaKey.Point(clientShare, point.X!.Length) });
            var secret = ours.DeriveRawSecretAgreement(theirs.PublicKey);
            using var encoded = new SshWriter();
            encoded.WriteMpint(secret);
            CryptographicOperations.ZeroMemory(secret);
            return new(EcdsaKey.Bytes(point), encoded.Written.ToArray());
        }
    }
}
