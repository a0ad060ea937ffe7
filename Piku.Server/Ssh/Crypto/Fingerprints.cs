using System.Security.Cryptography;

namespace Piku.Server.Ssh.Crypto;

/// <summary>Names keys by their hash, in OpenSSH's form.</summary>
internal static class Fingerprints
{
    /// <summary><c>SHA256:</c> and the hash of the public key's blob in base64 without padding.</summary>
    public static string Of(ReadOnlySpan<byte> publicKey) =>
        "SHA256:" + Convert.ToBase64String(SHA256.HashData(publicKey)).TrimEnd('=');
}
