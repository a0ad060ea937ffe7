namespace Piku.Server.Ssh.Crypto;

/// <summary>The algorithms that a server offers, each list in the server's order.</summary>
internal sealed record AlgorithmSuite(
    IReadOnlyList<KexAlgorithm> Kex,
    IReadOnlyList<CipherAlgorithm> Ciphers,
    IReadOnlyList<MacAlgorithm> Macs,
    IReadOnlyList<UserKeyType> UserKeys)
{
    public static AlgorithmSuite Default { get; } = new(KexAlgorithm.All, CipherAlgorithm.All, MacAlgorithm.All, UserKeyType.All);

    /// <summary>The signatures that users may prove their keys with: <c>server-sig-algs</c> (RFC 8308, section 3.1).</summary>
    public IEnumerable<string> UserSignatures => UserKeys.SelectMany(type => type.Algorithms).Select(algorithm => algorithm.Name);
}
