using Piku.Server.Ssh.Wire;

namespace Piku.Server.Ssh.Crypto;

/// <summary>What an authenticator says about the person before it (CTAP 2, authenticator data): the bits of its flags.</summary>
[Flags]
internal enum Presence
{
    None = 0,

    /// <summary>Someone touched it.</summary>
    Touched = 1,

    /// <summary>It knows, by a PIN or a finger, that it was its owner.</summary>
    Verified = 4,
}

/// <summary>Whether a signature over the data was made with the key, and with as much presence as is demanded.</summary>
/// <param name="key">What follows the type's name in the public key's blob, as <see cref="CheckPublicKey"/> accepted it.</param>
/// <param name="signature">What follows the algorithm's name in the signature's blob.</param>
/// <param name="demanded">Keys that are not an authenticator's need not say.</param>
/// <exception cref="SshProtocolException">The signature is malformed.</exception>
internal delegate bool VerifySignature(SshReader key, ReadOnlySpan<byte> data, SshReader signature, Presence demanded);

/// <summary>Whether bare bytes are the key's signature over the data.</summary>
internal delegate bool VerifyPlain(SshReader key, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature);

/// <param name="Name">As in server-sig-algs and in the authentication request.</param>
internal sealed record SignatureAlgorithm(string Name, VerifySignature Verify)
{
    /// <summary>An algorithm whose signature is one string.</summary>
    public static SignatureAlgorithm Plain(string name, VerifyPlain verify) => new(name, (key, data, signature, _) =>
    {
        var bare = signature.ReadString();
        signature.End();
        return verify(key, data, bare);
    });
}
