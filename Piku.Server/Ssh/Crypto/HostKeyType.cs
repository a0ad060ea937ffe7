using Piku.Server.Ssh.Wire;

namespace Piku.Server.Ssh.Crypto;

/// <summary>Reads what follows the type's name in the private part of a key file.</summary>
internal delegate HostKey ReadHostKey(ref SshReader reader);

/// <summary>Makes a key, as the private part of a key file from the type's name on.</summary>
internal delegate byte[] GenerateHostKey();

/// <summary>A kind of host key: how it is made, read and signs with.</summary>
/// <param name="Name">At the head of the key's blob.</param>
/// <param name="FileName">As sshd names it.</param>
internal sealed record HostKeyType(string Name, string FileName, ReadHostKey Read, GenerateHostKey Generate)
{
    public static HostKeyType Ed25519 { get; } = new(
        Ed25519HostKey.Name, "ssh_host_ed25519_key", Ed25519HostKey.Read, Ed25519HostKey.Generate);

    public static HostKeyType Rsa { get; } = new(
        RsaHostKey.Name, "ssh_host_rsa_key", RsaHostKey.Read, RsaHostKey.Generate)
    {
        IsSlow = true,
    };

    public static HostKeyType Ecdsa { get; } = new(
        EcdsaHostKey.Name, "ssh_host_ecdsa_key", EcdsaHostKey.Read, EcdsaHostKey.Generate);

    /// <summary>All that we can read.</summary>
    public static IReadOnlyList<HostKeyType> All { get; } = [Ed25519, Rsa, Ecdsa];

    /// <summary>Whether making one takes so long (on small machines, many seconds) that nobody should wait for it.</summary>
    public bool IsSlow { get; private init; }
}
