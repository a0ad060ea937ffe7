using System.Security.Cryptography;

namespace Piku.Server.Ssh.Crypto;

/// <summary>A MAC over the encrypted packet (encrypt-then-MAC; OpenSSH's PROTOCOL, section 1.7).</summary>
/// <param name="Length">Of the key and of the MAC, in bytes.</param>
internal sealed record MacAlgorithm(string Name, HashAlgorithmName Hash, int Length)
{
    /// <summary>All that we can do, the best first. MACs over the plain text are deliberately not here.</summary>
    public static IReadOnlyList<MacAlgorithm> All { get; } =
    [
        new("hmac-sha2-256-etm@openssh.com", HashAlgorithmName.SHA256, SHA256.HashSizeInBytes),
        new("hmac-sha2-512-etm@openssh.com", HashAlgorithmName.SHA512, SHA512.HashSizeInBytes),
    ];
}
