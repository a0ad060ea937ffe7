using System.Security.Cryptography;
using Piku.Server.Ssh.Wire;

namespace Piku.Server.Ssh.Crypto;

/// <summary>
/// Keys in FIDO authenticators (OpenSSH's PROTOCOL.u2f): the key's own fields, then <c>string application</c>. What is
/// signed is SHA256(application) ‖ byte flags ‖ uint32 counter ‖ SHA256(data), and flags and counter follow the
/// signature.
/// </summary>
internal static class SecurityKey
{
    private const string Curve = "nistp256";

    public static UserKeyType Ed25519 { get; } = Type("sk-ssh-ed25519@openssh.com", ReadEd25519, VerifyEd25519);

    public static UserKeyType Ecdsa { get; } = Type("sk-ecdsa-sha2-nistp256@openssh.com", ReadEcdsa, VerifyEcdsa);

    private delegate void SkipKey(ref SshReader reader);

    private static UserKeyType Type(string name, SkipKey readKey, VerifyPlain verify)
    {
        return new(name, Check, new SignatureAlgorithm(name, Verify));

        void Check(ref SshReader reader)
        {
            readKey(ref reader);
            if (reader.ReadString().IsEmpty)
                throw new SshProtocolException("the key is for no application");
        }

        bool Verify(SshReader key, ReadOnlySpan<byte> data, SshReader signature, Presence demanded)
        {
            var bare = signature.ReadString();
            var statement = signature.Rest;
            var flags = (Presence)signature.ReadByte();
            signature.ReadUInt32();
            signature.End();
            var rest = key;
            readKey(ref rest);
            byte[] signed = [.. SHA256.HashData(rest.ReadString()), .. statement, .. SHA256.HashData(data)];
            return (flags & demanded) == demanded && verify(key, signed, bare);
        }
    }

    private static void ReadEd25519(ref SshReader reader)
    {
        if (reader.ReadString().Length != Crypto.Ed25519.KeyLength)
            throw new SshProtocolException("an Ed25519 key has 32 bytes");
    }

    private static void ReadEcdsa(ref SshReader reader) => EcdsaKey.Read(ref reader, Curve, ECCurve.NamedCurves.nistP256).Dispose();

    private static bool VerifyEd25519(SshReader key, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature) =>
        Crypto.Ed25519.Verify(key.ReadString(), data, signature);

    private static bool VerifyEcdsa(SshReader key, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        using var ecdsa = EcdsaKey.Read(ref key, Curve, ECCurve.NamedCurves.nistP256);
        return EcdsaKey.Verify(ecdsa, data, signature, HashAlgorithmName.SHA256);
    }
}
