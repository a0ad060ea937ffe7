using System.Security.Cryptography;
using Piku.Server.Ssh.Wire;

namespace Piku.Server.Ssh.Crypto;

/// <summary>The server's part of a key exchange: the client's share in, our share and the secret out.</summary>
/// <exception cref="CryptographicException">The client's share is not a valid one.</exception>
internal delegate KexAnswer AnswerShare(ReadOnlySpan<byte> clientShare);

/// <param name="ServerShare">What SSH_MSG_KEX_ECDH_REPLY carries.</param>
/// <param name="Secret">K, encoded as it goes into the exchange hash and the derivation of keys: an mpint for curves.</param>
internal sealed record KexAnswer(byte[] ServerShare, byte[] Secret);

/// <summary>A key exchange of one message each way (RFC 5656, section 4).</summary>
/// <param name="Hash">Of the exchange hash and the derivation of keys.</param>
internal sealed record KexAlgorithm(string Name, HashAlgorithmName Hash, AnswerShare Answer)
{
    /// <summary>All that we can do, the best first.</summary>
    public static IReadOnlyList<KexAlgorithm> All { get; } =
    [
        new("curve25519-sha256", HashAlgorithmName.SHA256, Curve25519),
        new("curve25519-sha256@libssh.org", HashAlgorithmName.SHA256, Curve25519),
    ];

    // RFC 8731
    private static KexAnswer Curve25519(ReadOnlySpan<byte> clientShare)
    {
        using var ours = X25519.Generate();
        var secret = ours.Agree(clientShare);
        using var encoded = new SshWriter();
        encoded.WriteMpint(secret);
        CryptographicOperations.ZeroMemory(secret);
        return new(ours.PublicKey, encoded.Written.ToArray());
    }
}
