using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Piku.Server.Ssh.Wire;

namespace Piku.Server.Ssh.Crypto;

/// <summary>Reads what follows the type's name in the private part of a key file.</summary>
internal delegate HostKey ReadHostKey(ref SshReader reader);

/// <summary>Makes a key, as the private part of a key file from the type's name on.</summary>
internal delegate byte[] GenerateHostKey();

/// <summary>A kind of host key: how it is made, read and signs with.</summary>
internal sealed record HostKeyType(string Name, ReadHostKey Read, GenerateHostKey Generate)
{
    private const string Ed25519Name = "ssh-ed25519";

    /// <summary>The kinds that this server has keys of; each is made on the first start.</summary>
    public static IReadOnlyList<HostKeyType> All { get; } = [new(Ed25519Name, ReadEd25519, GenerateEd25519)];

    // string public, string private ‖ public
    [SuppressMessage("Reliability", "CA2000", Justification = "The host key signs with it for as long as the process lives.")]
    private static HostKey ReadEd25519(ref SshReader reader)
    {
        var publicKey = reader.ReadString();
        var key = new Ed25519(new SshReader(reader.ReadString()).ReadBytes(Ed25519.KeyLength));
        if (!publicKey.SequenceEqual(key.PublicKey))
            throw new SshProtocolException("the public key is not the private key's");
        using var blob = new SshWriter();
        blob.WriteText(Ed25519Name);
        blob.WriteString(publicKey);
        return new(Ed25519Name, blob.Written.ToArray(), [new(Ed25519Name, key.Sign)]);
    }

    private static byte[] GenerateEd25519()
    {
        Span<byte> pair = stackalloc byte[2 * Ed25519.KeyLength];
        RandomNumberGenerator.Fill(pair[..Ed25519.KeyLength]);
        using var key = new Ed25519(pair[..Ed25519.KeyLength]);
        key.PublicKey.CopyTo(pair[Ed25519.KeyLength..]);
        using var writer = new SshWriter();
        writer.WriteText(Ed25519Name);
        writer.WriteString(key.PublicKey);
        writer.WriteString(pair);
        CryptographicOperations.ZeroMemory(pair);
        return writer.Written.ToArray();
    }
}
