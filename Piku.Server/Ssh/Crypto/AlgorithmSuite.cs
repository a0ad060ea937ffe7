namespace Piku.Server.Ssh.Crypto;

/// <summary>The algorithms that a server offers, each list in the server's order.</summary>
internal sealed record AlgorithmSuite(
    IReadOnlyList<KexAlgorithm> Kex,
    IReadOnlyList<HostKeyType> HostKeys,
    IReadOnlyList<CipherAlgorithm> Ciphers,
    IReadOnlyList<MacAlgorithm> Macs,
    IReadOnlyList<UserKeyType> UserKeys)
{
    /// <summary>For clients of the last ten years: nothing that ssh-audit warns of.</summary>
    public static AlgorithmSuite Default { get; } = new(
        KexAlgorithm.Modern, [HostKeyType.Ed25519, HostKeyType.Rsa], CipherAlgorithm.All, MacAlgorithm.Modern, UserKeyType.All);

    /// <summary>For older ones too: the NIST curves, and MACs over the plain packet.</summary>
    public static AlgorithmSuite Compatible { get; } = Default with
    {
        Kex = [.. KexAlgorithm.Modern, .. KexAlgorithm.Older],
        HostKeys = [.. Default.HostKeys, HostKeyType.Ecdsa],
        Macs = [.. MacAlgorithm.Modern, .. MacAlgorithm.Older],
    };

    /// <summary>The signatures that users may prove their keys with: <c>server-sig-algs</c> (RFC 8308, section 3.1).</summary>
    public IEnumerable<string> UserSignatures => UserKeys.SelectMany(type => type.Algorithms).Select(algorithm => algorithm.Name);
}
