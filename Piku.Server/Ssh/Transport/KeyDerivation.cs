using System.Security.Cryptography;
using Piku.Server.Ssh.Crypto;
using Piku.Server.Ssh.Wire;

namespace Piku.Server.Ssh.Transport;

/// <summary>Derives the keys of both directions from what a key exchange gave (RFC 4253, section 7.2).</summary>
/// <param name="Secret">K, encoded.</param>
/// <param name="ExchangeHash">H.</param>
internal sealed record KeyDerivation(HashAlgorithmName Hash, byte[] Secret, byte[] ExchangeHash, byte[] SessionId)
{
    public PacketCipher ToServer(CipherAlgorithm cipher) => Create(cipher, 'A', 'C');

    public PacketCipher ToClient(CipherAlgorithm cipher) => Create(cipher, 'B', 'D');

    private PacketCipher Create(CipherAlgorithm cipher, char ivLetter, char keyLetter)
    {
        var iv = Derive(ivLetter, cipher.IvLength);
        var key = Derive(keyLetter, cipher.KeyLength);
        try
        {
            return cipher.Create(key, iv);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
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
