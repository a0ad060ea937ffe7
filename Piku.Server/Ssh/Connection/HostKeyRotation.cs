using Piku.Server.Ssh.Crypto;
using Piku.Server.Ssh.Wire;

namespace Piku.Server.Ssh.Connection;

/// <summary>
/// Tells clients all host keys, so that they know the next before it is used and forget the last when it is gone
/// (OpenSSH's PROTOCOL, section 2.5).
/// </summary>
internal static class HostKeyRotation
{
    /// <summary>By it a client asks for proof that we have the keys that are new to it.</summary>
    public const string ProofRequest = "hostkeys-prove-00@openssh.com";

    private const string AnnouncementRequest = "hostkeys-00@openssh.com";

    /// <summary>The message that tells them.</summary>
    public static byte[] Announcement(IReadOnlyList<HostKey> keys)
    {
        using var message = new SshWriter(MessageNumber.GlobalRequest);
        message.WriteText(AnnouncementRequest);
        message.WriteBoolean(false);
        foreach (var key in keys)
            message.WriteString(key.PublicKey);
        return message.Written.ToArray();
    }

    /// <summary>A signature by each key that is asked for; null when one of them is not ours.</summary>
    public static byte[]? Prove(ConnectionProtocol connection, ref SshReader reader)
    {
        var keys = connection.Context.Options.HostKeys;
        using var proofs = new SshWriter();
        for (var asked = 0; !reader.Rest.IsEmpty; asked++)
        {
            var blob = reader.ReadString();
            if (asked == keys.Count || Find(keys, blob) is not { } key)
                return null;
            proofs.WriteString(Proof(connection, key));
        }
        return proofs.Written.ToArray();
    }

    private static HostKey? Find(IReadOnlyList<HostKey> keys, ReadOnlySpan<byte> blob)
    {
        foreach (var key in keys)
        {
            if (blob.SequenceEqual(key.PublicKey))
                return key;
        }
        return null;
    }

    // Over string request, string session id, string key. An RSA key signs with what the key exchange agreed on.
    private static byte[] Proof(ConnectionProtocol connection, HostKey key)
    {
        var algorithm = key.Algorithms.FirstOrDefault(algorithm => algorithm.Name == connection.Transport.HostKeyAlgorithm)
            ?? key.Algorithms[0];
        using var signed = new SshWriter();
        signed.WriteText(ProofRequest);
        signed.WriteString(connection.Transport.SessionId.Span);
        signed.WriteString(key.PublicKey);
        using var signature = new SshWriter();
        signature.WriteText(algorithm.Name);
        signature.WriteString(algorithm.Sign(signed.Written));
        return signature.Written.ToArray();
    }
}
