using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Piku.Server.Ssh.Wire;

namespace Piku.Server.Ssh.Crypto;

/// <summary>Host keys of type <c>ecdsa-sha2-nistp256</c> (RFC 5656, section 3.1): <c>string curve, string Q, mpint d</c>.</summary>
internal static class EcdsaHostKey
{
    public const string Name = "ecdsa-sha2-" + CurveName;

    private const string CurveName = "nistp256";
    private const int FieldLength = 32;

    [SuppressMessage("Reliability", "CA2000", Justification = "The host key signs with it for as long as the process lives.")]
    public static HostKey Read(ref SshReader reader)
    {
        if (reader.ReadName() != CurveName)
            throw new SshProtocolException("the key's curve is not its type's");
        var point = reader.ReadString();
        var secret = reader.ReadMpint();
        if (secret.Length > FieldLength)
            throw new SshProtocolException("the private key is too large");
        var padded = new byte[FieldLength];
        secret.CopyTo(padded.AsSpan(FieldLength - secret.Length));
        var key = ECDsa.Create(new ECParameters
        {
            Curve = ECCurve.NamedCurves.nistP256,
            Q = EcdsaKey.Point(point, FieldLength),
            D = padded,
        });
        return new(Name, Blob(point), [new(Name, Sign)]);

        byte[] Sign(ReadOnlySpan<byte> data)
        {
            lock (key) // .NET does not promise that it may be shared
                return EcdsaKey.Sign(key, data, HashAlgorithmName.SHA256);
        }
    }

    public static byte[] Generate()
    {
        using var ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var key = ecdsa.ExportParameters(includePrivateParameters: true);
        using var writer = new SshWriter();
        writer.WriteText(Name);
        writer.WriteText(CurveName);
        writer.WriteString(EcdsaKey.Bytes(key.Q));
        writer.WriteMpint(key.D);
        CryptographicOperations.ZeroMemory(key.D);
        return writer.Written.ToArray();
    }

    private static byte[] Blob(ReadOnlySpan<byte> point)
    {
        using var blob = new SshWriter();
        blob.WriteText(Name);
        blob.WriteText(CurveName);
        blob.WriteString(point);
        return blob.Written.ToArray();
    }
}
