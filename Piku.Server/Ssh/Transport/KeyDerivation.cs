using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Piku.Server.Ssh.Crypto;
using Piku.Server.Ssh.Wire;

namespace Piku.Server.Ssh.Transport;

/// <summary>Derives the keys of both directions from what a key exchange gave (RFC 4253, section 7.2).</summary>
/// <param name="Secret">K, encoded.</param>
/// <param name="ExchangeHash">H.</param>
internal sealed record KeyDerivation(HashAlgorithmName Hash, byte[] Secret, byte[] ExchangeHash, byte[] SessionId)
{
    public PacketCipher ToServer(Protection protection) => Create(protection, 'A', 'C', 'E');

    public PacketCipher ToClient(Protection protection) => Create(protection, 'B', 'D', 'F');

    [SuppressMessage("Reliability", "CA2000", Justification = "The cipher owns its MAC.")]
    private PacketCipher Create(Protection protection, char ivLetter, char keyLetter, char macLetter)
    {
        var (cipher, mac) = protection;
        var iv = Derive(ivLetter, cipher.IvLength);
        var key = Derive(keyLetter, cipher.KeyLength);
        var macKey = Derive(macLetter, mac?.Length ?? 0);
        try
        {
            return cipher.Create(key, iv, mac is null ? null : new Mac(mac, macKey));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
            CryptographicOperations.ZeroMemory(macKey);
        }
    }

    // K1 = HASH(K ‖ H ‖ letter ‖ session_id), and K(n+1) = HASH(K ‖ H ‖ K1 ‖ … ‖ Kn) while there is not enough.
    private byte[] Derive(char letter, int length)
    {
        using var derived = new SshWriter();
        while (derived.Written.Length < length)
        {
            using var input = new SshWriter();
            input.WriteBytes(Secret);
            input.WriteBytes(ExchangeHash);
            if (derived.Written.IsEmpty)
            {
                input.WriteByte((byte)letter);
                input.WriteBytes(SessionId);
            }
            else
            {
                input.WriteBytes(derived.Written);
            }
            derived.WriteBytes(CryptographicOperations.HashData(Hash, input.Written));
        }
        return derived.Written[..length].ToArray();
    }
}
