using System.Security.Cryptography;
using Piku.Server.Ssh.Wire;

namespace Piku.Server.Ssh.Crypto;

/// <summary>Checks what follows the type's name in a public key's blob, and reads all of it.</summary>
/// <exception cref="SshProtocolException">The key is malformed or too weak.</exception>
internal delegate void CheckPublicKey(ref SshReader reader);

/// <summary>Whether a bare signature over the data was made with the key.</summary>
/// <param name="key">What follows the type's name in the public key's blob, as <see cref="CheckPublicKey"/> accepted it.</param>
internal delegate bool VerifySignature(SshReader key, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature);

/// <param name="Name">As in server-sig-algs and in the authentication request.</param>
internal sealed record SignatureAlgorithm(string Name, VerifySignature Verify);

/// <summary>A kind of key that users may have.</summary>
/// <param name="Name">As in authorized_keys and at the head of the key's blob.</param>
/// <param name="Algorithms">The signatures that we accept from such a key.</param>
internal sealed record UserKeyType(string Name, CheckPublicKey Check, params IReadOnlyList<SignatureAlgorithm> Algorithms)
{
    /// <summary>All that we accept. RSA with SHA-1 (<c>ssh-rsa</c> as a signature) is deliberately not here.</summary>
    public static IReadOnlyList<UserKeyType> All { get; } =
    [
        new("ssh-ed25519", CheckEd25519, new SignatureAlgorithm("ssh-ed25519", VerifyEd25519)),
        EcdsaKey.Type("nistp256", ECCurve.NamedCurves.nistP256, HashAlgorithmName.SHA256),
        EcdsaKey.Type("nistp384", ECCurve.NamedCurves.nistP384, HashAlgorithmName.SHA384),
        EcdsaKey.Type("nistp521", ECCurve.NamedCurves.nistP521, HashAlgorithmName.SHA512),
        new("ssh-rsa", RsaKey.Check,
            new SignatureAlgorithm("rsa-sha2-512", (key, data, signature) => RsaKey.Verify(key, data, signature, HashAlgorithmName.SHA512)),
            new SignatureAlgorithm("rsa-sha2-256", (key, data, signature) => RsaKey.Verify(key, data, signature, HashAlgorithmName.SHA256))),
    ];

    public static UserKeyType? Find(string name) => All.FirstOrDefault(type => type.Name == name);

    // RFC 8709, sections 4 and 6
    private static void CheckEd25519(ref SshReader reader)
    {
        if (reader.ReadString().Length != Ed25519.KeyLength)
            throw new SshProtocolException("an Ed25519 key has 32 bytes");
    }

    private static bool VerifyEd25519(SshReader key, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature) =>
        Ed25519.Verify(key.ReadString(), data, signature);
}
