using System.Security.Cryptography;
using Piku.Server.Ssh.Wire;

namespace Piku.Server.Ssh.Crypto;

/// <summary>Makes a secret, and the ciphertext that carries it to the owner of a public key.</summary>
/// <exception cref="CryptographicException">It is not a public key.</exception>
internal delegate (byte[] Ciphertext, byte[] Secret) Encapsulate(ReadOnlySpan<byte> publicKey);

/// <summary>
/// A post-quantum key encapsulation beside X25519 (draft-ietf-sshm-ntruprime-ssh; draft-ietf-sshm-mlkem-hybrid-kex):
/// whoever wants the secret must break both.
/// </summary>
internal static class HybridKex
{
    /// <param name="hash">Also of the two secrets, into the one that counts.</param>
    /// <param name="publicKeyLength">In bytes, of the encapsulation.</param>
    public static KexAlgorithm Algorithm(string name, HashAlgorithmName hash, int publicKeyLength, Encapsulate encapsulate)
    {
        return new(name, hash, Answer);

        // The client's share is public key ‖ X25519 key, ours ciphertext ‖ X25519 key; K is a string, not an mpint.
        KexAnswer Answer(ReadOnlySpan<byte> clientShare)
        {
            if (clientShare.Length != publicKeyLength + X25519.KeyLength)
                throw new CryptographicException("the share is too short or too long");
            using var ours = X25519.Generate();
            var classical = ours.Agree(clientShare[publicKeyLength..]);
            var (ciphertext, secret) = encapsulate(clientShare[..publicKeyLength]);
            byte[] both = [.. secret, .. classical];
            using var encoded = new SshWriter();
            encoded.WriteString(CryptographicOperations.HashData(hash, both));
            CryptographicOperations.ZeroMemory(secret);
            CryptographicOperations.ZeroMemory(classical);
            CryptographicOperations.ZeroMemory(both);
            return new([.. ciphertext, .. ours.PublicKey], encoded.Written.ToArray());
        }
    }
}
