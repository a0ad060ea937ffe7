using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Piku.Server.Ssh.Wire;

namespace Piku.Server.Ssh.Crypto;

/// <summary>Host keys of type <c>ssh-ed25519</c> (RFC 8709): <c>string public, string private ‖ public</c>.</summary>
internal static class Ed25519HostKey
{
    public const string Name = "ssh-ed25519";

    [SuppressMessage("Reliability", "CA2000", Justification = "The host key signs with it for as long as the process lives.")]
    public static HostKey Read(ref SshReader reader)
    {
        var publicKey = reader.ReadString();
        var key = new Ed25519(new SshReader(reader.ReadString()).ReadBytes(Ed25519.KeyLength));
        if (!publicKey.SequenceEqual(key.PublicKey))
            throw new SshProtocolException("the public key is not the private key's");
        using var blob = new SshWriter();
        blob.WriteText(Name);
        blob.WriteString(publicKey);
        return new(Name, blob.Written.ToArray(), [new(Name, key.Sign)]);
    }

    public static byte[] Generate()
    {
        Span<byte> pair = stackalloc byte[2 * Ed25519.KeyLength];
        RandomNumberGenerator.Fill(pair[..Ed25519.KeyLength]);
        using var key = new Ed25519(pair[..Ed25519.KeyLength]);
        key.PublicKey.CopyTo(pair[Ed25519.KeyLength..]);
        using var writer = new SshWriter();
        writer.WriteText(Name);
        writer.WriteString(key.PublicKey);
        writer.WriteString(pair);
        CryptographicOperations.ZeroMemory(pair);
        return writer.Written.ToArray();
    }
}
