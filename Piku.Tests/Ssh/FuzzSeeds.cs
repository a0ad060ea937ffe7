using System.Security.Cryptography;
using Piku.Server.Ssh.Crypto;
using Piku.Server.Ssh.Wire;

namespace Piku.Tests.Ssh;

/// <summary>Good input of every kind, for a fuzzer to spoil.</summary>
internal static class FuzzSeeds
{
    private const int RsaBits = 2048;

    private static readonly Ed25519 Ed25519Key = RawClient.NewKey();
    private static readonly RSA RsaPair = RSA.Create(RsaBits);
    private static readonly Dictionary<string, ECDsa> EcdsaPairs = new(StringComparer.Ordinal)
    {
        ["nistp256"] = ECDsa.Create(ECCurve.NamedCurves.nistP256),
        ["nistp384"] = ECDsa.Create(ECCurve.NamedCurves.nistP384),
        ["nistp521"] = ECDsa.Create(ECCurve.NamedCurves.nistP521),
    };

    private static readonly Dictionary<string, Authenticator> Authenticators = UserKeyType.All.Select(type => type.Name)
        .Where(name => name.StartsWith("sk-", StringComparison.Ordinal)).ToDictionary(name => name, name => new Authenticator(name));

    /// <summary>One to agree on; nothing is signed with it.</summary>
    public static HostKey HostKey { get; } = new("ssh-ed25519", [], [new("ssh-ed25519", _ => [])]);

    /// <summary>A public key of every type.</summary>
    public static IReadOnlyList<(UserKeyType Type, byte[] Blob)> Keys { get; } = [.. UserKeyType.All.Select(type => (type, Blob(type.Name)))];

    /// <summary>One that proves a key, one that only offers it, and one of another method.</summary>
    public static IReadOnlyList<byte[]> AuthenticationRequests { get; } =
    [
        RawClient.SignedRequest(Ed25519Key, Ed25519Key, new byte[32]),
        new MessageBuilder(MessageNumber.UserAuthRequest)
            .Text("alice").Text("ssh-connection").Text("publickey").Boolean(false).Text("ssh-ed25519").String(RawClient.Blob(Ed25519Key)).ToArray(),
        new MessageBuilder(MessageNumber.UserAuthRequest).Text("alice").Text("ssh-connection").Text("none").ToArray(),
    ];

    /// <summary>Of a client by IPv4, of one by IPv6 with a type-length-value, and of a proxy that asks how we are.</summary>
    public static IReadOnlyList<byte[]> ProxyHeaders { get; } =
    [
        [.. "\r\n\r\n\0\r\nQUIT\n"u8, 0x21, 0x11, 0, 12, 203, 0, 113, 7, 192, 0, 2, 1, 0xC0, 0, 0, 22],
        [.. "\r\n\r\n\0\r\nQUIT\n"u8, 0x21, 0x21, 0, 40, .. new byte[15], 1, .. new byte[15], 2, 0xC0, 0, 0, 22, 4, 0, 1, 0],
        [.. "\r\n\r\n\0\r\nQUIT\n"u8, 0x20, 0, 0, 0],
    ];

    public static IReadOnlyList<string> AuthorizedKeys { get; } =
    [
        RawClient.Line(Ed25519Key),
        "restrict,pty,from=\"10.0.0.0/8,!10.6.?.*\",expiry-time=\"20301231Z\",environment=\"PIKU_APPS=blog shop-*\" " + RawClient.Line(Ed25519Key),
        "cert-authority,principals=\"alice,bob\",permitopen=\"[::1]:5432\",verify-required " + RawClient.Line(Ed25519Key),
        "command=\"FINGERPRINT=SHA256:x NAME=alice /home/piku/piku.py $SSH_ORIGINAL_COMMAND\",no-agent-forwarding " + RawClient.Line(Ed25519Key),
    ];

    /// <summary>The share of a client that speaks this exchange.</summary>
    public static byte[] Share(KexAlgorithm kex)
    {
        using var classical = X25519.Generate();
        return kex.Name.Split('-')[0] switch
        {
            "curve25519" => classical.PublicKey,
            "sntrup761x25519" => [.. new Sntrup761Owner(bytes => RandomNumberGenerator.Fill(bytes)).PublicKey, .. classical.PublicKey],
            "mlkem768x25519" => [.. MLKemKey(), .. classical.PublicKey],
            _ => EcdsaKey.Bytes(EcdsaPairs[kex.Name.Split('-')[^1]].ExportParameters(includePrivateParameters: false).Q),
        };
    }

    /// <summary>A signature's blob, over <see cref="Authenticator.Data"/>.</summary>
    public static byte[] Signature(UserKeyType type, SignatureAlgorithm algorithm)
    {
        if (Authenticators.TryGetValue(type.Name, out var authenticator))
            return authenticator.Sign(flags: 1);
        using var signature = new SshWriter();
        signature.WriteText(algorithm.Name);
        signature.WriteString(type.Name switch
        {
            "ssh-ed25519" => Ed25519Key.Sign(Authenticator.Data),
            "ssh-rsa" => RsaPair.SignData(Authenticator.Data, HashOf(algorithm), RSASignaturePadding.Pkcs1),
            _ => EcdsaKey.Sign(EcdsaPairs[CurveOf(type.Name)], Authenticator.Data, HashOf(algorithm)),
        });
        return signature.Written.ToArray();
    }

    /// <summary>A certificate for the key, with everything in it that one can have.</summary>
    public static byte[] Certificate((UserKeyType Type, byte[] Blob) key)
    {
        var name = new SshReader(key.Blob);
        name.ReadName();
        using var certificate = new SshWriter();
        certificate.WriteText(key.Type.Name.Replace("@openssh.com", "", StringComparison.Ordinal) + "-cert-v01@openssh.com");
        certificate.WriteText("nonce");
        certificate.WriteBytes(name.Rest);
        certificate.WriteBytes([0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 1]); // serial, for users
        certificate.WriteText("id");
        certificate.WriteString([0, 0, 0, 5, .. "alice"u8]);
        certificate.WriteBytes([0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255]); // always valid
        certificate.WriteString([0, 0, 0, 14, .. "source-address"u8, 0, 0, 0, 13, 0, 0, 0, 9, .. "127.0.0.1"u8]);
        certificate.WriteString([0, 0, 0, 10, .. "permit-pty"u8, 0, 0, 0, 0]);
        certificate.WriteText("");
        certificate.WriteString(RawClient.Blob(Ed25519Key));
        certificate.WriteString([0, 0, 0, 11, .. "ssh-ed25519"u8, 0, 0, 0, 64, .. new byte[64]]);
        return certificate.Written.ToArray();
    }

    private static byte[] Blob(string type)
    {
        if (Authenticators.TryGetValue(type, out var authenticator))
            return authenticator.Blob;
        using var blob = new SshWriter();
        blob.WriteText(type);
        switch (type)
        {
            case "ssh-ed25519":
                blob.WriteString(Ed25519Key.PublicKey);
                break;
            case "ssh-rsa":
                var rsa = RsaPair.ExportParameters(includePrivateParameters: false);
                blob.WriteMpint(rsa.Exponent);
                blob.WriteMpint(rsa.Modulus);
                break;
            default:
                blob.WriteText(CurveOf(type));
                blob.WriteString(EcdsaKey.Bytes(EcdsaPairs[CurveOf(type)].ExportParameters(includePrivateParameters: false).Q));
                break;
        }
        return blob.Written.ToArray();
    }

    private static byte[] MLKemKey()
    {
        using var owner = MLKem.GenerateKey(MLKemAlgorithm.MLKem768);
        return owner.ExportEncapsulationKey();
    }

    private static string CurveOf(string type) => type["ecdsa-sha2-".Length..];

    private static HashAlgorithmName HashOf(SignatureAlgorithm algorithm) =>
        algorithm.Name is "rsa-sha2-512" or "ecdsa-sha2-nistp521" ? HashAlgorithmName.SHA512
        : algorithm.Name is "ecdsa-sha2-nistp384" ? HashAlgorithmName.SHA384
        : HashAlgorithmName.SHA256;
}
