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
    /// <summary>What today's clients have, the best first. The post-quantum ones protect against whoever records now to decrypt later.</summary>
    public static IReadOnlyList<KexAlgorithm> Modern { get; } =
    [
        .. MLKem768.IsSupported ? [MLKem768X25519] : (ReadOnlySpan<KexAlgorithm>)[],
        Sntrup761X25519("sntrup761x25519-sha512"),
        Sntrup761X25519("sntrup761x25519-sha512@openssh.com"),
        new("curve25519-sha256", HashAlgorithmName.SHA256, Curve25519),
        new("curve25519-sha256@libssh.org", HashAlgorithmName.SHA256, Curve25519),
    ];

    /// <summary>What older clients have besides.</summary>
    public static IReadOnlyList<KexAlgorithm> Older { get; } =
    [
        EcdhKex.Algorithm("nistp256", ECCurve.NamedCurves.nistP256, HashAlgorithmName.SHA256),
        EcdhKex.Algorithm("nistp384", ECCurve.NamedCurves.nistP384, HashAlgorithmName.SHA384),
        EcdhKex.Algorithm("nistp521", ECCurve.NamedCurves.nistP521, HashAlgorithmName.SHA512),
    ];

    private static KexAlgorithm MLKem768X25519 => HybridKex.Algorithm(
        "mlkem768x25519-sha256", HashAlgorithmName.SHA256, MLKem768.PublicKeyLength, MLKem768.Encapsulate);

    private static KexAlgorithm Sntrup761X25519(string name) =>
        HybridKex.Algorithm(name, HashAlgorithmName.SHA512, Sntrup761.PublicKeyLength, Sntrup761.Encapsulate);

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
