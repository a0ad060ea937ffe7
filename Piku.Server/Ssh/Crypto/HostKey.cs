namespace Piku.Server.Ssh.Crypto;

/// <summary>Signs an exchange hash; the result is the bare signature, without its algorithm's name.</summary>
internal delegate byte[] Sign(ReadOnlySpan<byte> data);

/// <param name="Name">As negotiated: <c>ssh-ed25519</c>.</param>
internal sealed record HostKeyAlgorithm(string Name, Sign Sign);

/// <summary>A key by which clients know this server.</summary>
/// <param name="PublicKey">As on the wire (RFC 4253, section 6.6).</param>
/// <param name="Algorithms">The signatures it can make, the best first.</param>
internal sealed record HostKey(string Type, byte[] PublicKey, IReadOnlyList<HostKeyAlgorithm> Algorithms)
{
    /// <summary><c>SHA256:…</c>, as <c>ssh-keygen -l</c> prints it.</summary>
    public string Fingerprint => Fingerprints.Of(PublicKey);
}
