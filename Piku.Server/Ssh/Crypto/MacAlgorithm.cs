using System.Security.Cryptography;

namespace Piku.Server.Ssh.Crypto;

/// <summary>A message authentication code, for ciphers that have none of their own (RFC 6668).</summary>
/// <param name="Length">In bytes, of the key and of the code.</param>
/// <param name="IsOverCiphertext">
/// Encrypt-then-MAC (OpenSSH's PROTOCOL, section 1.5): nothing is decrypted before it is known to be authentic.
/// </param>
internal sealed record MacAlgorithm(string Name, HashAlgorithmName Hash, int Length, bool IsOverCiphertext)
{
    /// <summary>What today's clients have, the best first.</summary>
    public static IReadOnlyList<MacAlgorithm> Modern { get; } =
    [
        new("hmac-sha2-256-etm@openssh.com", HashAlgorithmName.SHA256, SHA256.HashSizeInBytes, IsOverCiphertext: true),
        new("hmac-sha2-512-etm@openssh.com", HashAlgorithmName.SHA512, SHA512.HashSizeInBytes, IsOverCiphertext: true),
    ];

    /// <summary>What older clients have besides.</summary>
    public static IReadOnlyList<MacAlgorithm> Older { get; } =
    [
        new("hmac-sha2-256", HashAlgorithmName.SHA256, SHA256.HashSizeInBytes, IsOverCiphertext: false),
        new("hmac-sha2-512", HashAlgorithmName.SHA512, SHA512.HashSizeInBytes, IsOverCiphertext: false),
    ];
}
