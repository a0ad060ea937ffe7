using System.Security.Cryptography;
using Piku.Server.Ssh.Wire;

namespace Piku.Server.Ssh.Crypto;

/// <summary>Checks what follows the type's name in a public key's blob, and reads all of it.</summary>
/// <exception cref="SshProtocolException">The key is malformed or too weak.</exception>
internal delegate void CheckPublicKey(ref SshReader reader);

/// <summary>A kind of key that users may have.</summary>
/// <param name="Name">As in authorized_keys and at the head of the key's blob.</param>
/// <param name="Algorithms">The signatures that we accept from such a key.</param>
internal sealed record UserKeyType(string Name, CheckPublicKey Check, params IReadOnlyList<SignatureAlgorithm> Algorithms)
{
    /// <summary>All that we accept. RSA with SHA-1 (<c>ssh-rsa</c> as a signature) is deliberately not here.</summary>
    public static IReadOnlyList<UserKeyType> All { get; } =
    [
        new("ssh-ed25519", CheckEd25519, SignatureAlgorithm.Plain("ssh-ed25519", VerifyEd25519)),
        EcdsaKey.Type("nistp256", ECCurve.NamedCurves.nistP256, HashAlgorithmName.SHA256),
        EcdsaKey.Type("nistp384", ECCurve.NamedCurves.nistP384, HashAlgorithmName.SHA384),
        EcdsaKey.Type("nistp521", ECCurve.NamedCurves.nistP521, HashAlgorithmName.SHA512),
        new("ssh-rsa", RsaKey.Check, Rsa("rsa-sha2-512", HashAlgorithmName.SHA512), Rsa("rsa-sha2-256", HashAlgorithmName.SHA256)),
        SecurityKey.Ed25519,
        SecurityKey.Ecdsa,
    ];

    public static UserKeyType? Find(string name) => All.FirstOrDefault(type => type.Name == name);

    /// <summary>Whether a signature's blob is over the data, by the key, and of the algorithm.</summary>
    /// <param name="publicKey">A blob of this type, as <see cref="Check"/> accepted it.</param>
    /// <exception cref="SshProtocolException">The signature is malformed.</exception>
    public static bool IsGenuine(
        SignatureAlgorithm algorithm, ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature, Presence demanded)
    {
        var key = new SshReader(publicKey);
        key.ReadName();
        var reader = new SshReader(signature);
        try
        {
            return reader.ReadName() == algorithm.Name && algorithm.Verify(key, data, reader, demanded);
        }
        catch (CryptographicException)
        {
            return false; // what cannot even be checked is not genuine
        }
    }

    private static SignatureAlgorithm Rsa(string name, HashAlgorithmName hash) =>
        SignatureAlgorithm.Plain(name, (key, data, signature) => RsaKey.Verify(key, data, signature, hash));

    // RFC 8709, sections 4 and 6
    private static void CheckEd25519(ref SshReader reader)
    {
        if (reader.ReadString().Length != Ed25519.KeyLength)
            throw new SshProtocolException("an Ed25519 key has 32 bytes");
    }

    private static bool VerifyEd25519(SshReader key, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature) =>
        Ed25519.Verify(key.ReadString(), data, signature);
}
