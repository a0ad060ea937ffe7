using Piku.Server.Ssh.Crypto;
using Piku.Server.Ssh.Wire;

namespace Piku.Server.Ssh.Transport;

/// <summary>What both sides agreed on.</summary>
/// <param name="GuessIsWrong">The client sent the first message of another exchange ahead, which must be skipped.</param>
internal sealed record Agreement(
    KexAlgorithm Kex,
    HostKey HostKey,
    HostKeyAlgorithm HostKeyAlgorithm,
    Protection ToServer,
    Protection ToClient,
    bool GuessIsWrong);

/// <summary>How the packets of one direction are protected.</summary>
/// <param name="Mac">Null for a cipher that needs none.</param>
internal sealed record Protection(CipherAlgorithm Cipher, MacAlgorithm? Mac);

/// <summary>Chooses algorithms: of each list the client's first that the server has too (RFC 4253, section 7.1).</summary>
internal static class Negotiation
{
    /// <summary>Both sides reset the sequence numbers and take nothing unexpected (OpenSSH's PROTOCOL, section 1.10).</summary>
    public const string StrictClient = "kex-strict-c-v00@openssh.com", StrictServer = "kex-strict-s-v00@openssh.com";

    /// <summary>The client takes SSH_MSG_EXT_INFO (RFC 8308, section 2.1).</summary>
    public const string ExtInfoClient = "ext-info-c";

    private static readonly string[] Compression = ["none"];

    public static KexInit Offer(AlgorithmSuite algorithms, IReadOnlyList<HostKey> hostKeys)
    {
        var ciphers = algorithms.Ciphers.Select(cipher => cipher.Name).ToArray();
        var macs = algorithms.Macs.Select(mac => mac.Name).ToArray();
        return new(
            [.. algorithms.Kex.Select(kex => kex.Name), StrictServer],
            [.. hostKeys.SelectMany(key => key.Algorithms).Select(algorithm => algorithm.Name)],
            ciphers, ciphers, macs, macs, Compression, Compression, FirstKexPacketFollows: false);
    }

    /// <exception cref="SshProtocolException">There is nothing in common; the message says of what.</exception>
    public static Agreement Agree(KexInit client, AlgorithmSuite algorithms, IReadOnlyList<HostKey> hostKeys)
    {
        var signatures = hostKeys.SelectMany(key => key.Algorithms, (key, algorithm) => (key, algorithm)).ToArray();
        var kex = Choose("key exchange", client.Kex, algorithms.Kex, kex => kex.Name);
        var (hostKey, signature) = Choose("host key", client.HostKeys, signatures, pair => pair.algorithm.Name);
        Choose("compression", client.CompressionToServer, Compression, name => name);
        Choose("compression", client.CompressionToClient, Compression, name => name);
        return new(
            kex, hostKey, signature,
            Protect(client.CiphersToServer, client.MacsToServer, algorithms),
            Protect(client.CiphersToClient, client.MacsToClient, algorithms),
            client.FirstKexPacketFollows
                && (client.Kex[0] != algorithms.Kex[0].Name || client.HostKeys[0] != signatures[0].algorithm.Name));
    }

    private static Protection Protect(IReadOnlyList<string> ciphers, IReadOnlyList<string> macs, AlgorithmSuite algorithms)
    {
        var cipher = Choose("cipher", ciphers, algorithms.Ciphers, cipher => cipher.Name);
        return new(cipher, cipher.NeedsMac ? Choose("MAC", macs, algorithms.Macs, mac => mac.Name) : null);
    }

    private static T Choose<T>(string what, IEnumerable<string> wanted, IReadOnlyList<T> offered, Func<T, string> name)
    {
        foreach (var wish in wanted)
        {
            foreach (var offer in offered)
            {
                if (name(offer) == wish)
                    return offer;
            }
        }
        throw new SshProtocolException(
            DisconnectReason.KeyExchangeFailed,
            $"no {what} in common: the server has {string.Join(", ", offered.Select(name))}");
    }
}
