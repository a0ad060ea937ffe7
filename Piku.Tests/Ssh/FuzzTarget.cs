using System.Net;
using System.Security.Cryptography;
using System.Text;
using Piku.Core.Model;
using Piku.Server.Commands;
using Piku.Server.Ssh.Authentication;
using Piku.Server.Ssh.Crypto;
using Piku.Server.Ssh.Transport;
using Piku.Server.Ssh.Wire;

namespace Piku.Tests.Ssh;

/// <summary>A parser that a stranger's bytes, or those of somebody with a key, can reach.</summary>
/// <param name="Seeds">Good input, which goes as deep as input can.</param>
/// <param name="Parse">What the server does with it.</param>
/// <param name="Cost">How much longer an input takes than one of the plain parsers does: big numbers.</param>
/// <param name="Refusal">What it may throw, because whoever calls it takes that for "no".</param>
internal sealed record FuzzTarget(string Name, IReadOnlyList<byte[]> Seeds, Action<byte[]> Parse, int Cost, Type? Refusal = null)
{
    private const int Slow = 100;

    public static IReadOnlyList<FuzzTarget> All { get; } =
    [
        Wire("KEXINIT and the agreement", [RawClient.Offer().Write()], data => Negotiation.Agree(KexInit.Read(data), AlgorithmSuite.Compatible, [FuzzSeeds.HostKey])),
        .. AlgorithmSuite.Compatible.Kex.Select(Share),
        Wire("authentication requests", FuzzSeeds.AuthenticationRequests, data => AuthenticationRequest.Read(data)),
        Wire("certificates", [.. FuzzSeeds.Keys.Select(FuzzSeeds.Certificate)], Judge, cost: 10),
        Wire("public keys", [.. FuzzSeeds.Keys.Select(key => key.Blob)], CheckKey, cost: 10),
        .. FuzzSeeds.Keys.SelectMany(key => key.Type.Algorithms, Signatures),
        new("headers of the PROXY protocol", FuzzSeeds.ProxyHeaders, data => ProxyHeader.Read(data, most: 2048), Cost: 1, typeof(FormatException)),
        Text("authorized_keys", FuzzSeeds.AuthorizedKeys, text => AuthorizedKeysText.Parse(text, "piku.py")),
        Text("command lines", ["run blog sh -c 'echo \"a b\" $X'", "git-receive-pack '/blog.git'", "scp -r -t -- 'apps/blog/a b'"], text => CommandLine.Parse(text)),
        Text("names of apps", ["blog", "my_app.2-x", "/blog.git"], text => AppName.TryParse(text, out _)),
    ];

    public override string ToString() => Name;

    private static FuzzTarget Wire(string name, IReadOnlyList<byte[]> seeds, Action<byte[]> parse, int cost = 1) =>
        new(name, seeds, parse, cost, typeof(SshProtocolException));

    private static FuzzTarget Text(string name, IReadOnlyList<string> seeds, Action<string> parse) =>
        new(name, [.. seeds.Select(Encoding.UTF8.GetBytes)], data => parse(Encoding.UTF8.GetString(data)), Cost: 1);

    // Whoever answers a share takes any failure of cryptography for a share that is none.
    private static FuzzTarget Share(KexAlgorithm kex) =>
        new("shares of " + kex.Name, [FuzzSeeds.Share(kex)], data => kex.Answer(data), Slow, typeof(CryptographicException));

    private static FuzzTarget Signatures((UserKeyType Type, byte[] Blob) key, SignatureAlgorithm algorithm) => Wire(
        "signatures of " + algorithm.Name,
        [FuzzSeeds.Signature(key.Type, algorithm)],
        data => UserKeyType.IsGenuine(algorithm, key.Blob, Authenticator.Data, data, Presence.None),
        Slow);

    private static void CheckKey(byte[] data)
    {
        var reader = new SshReader(data);
        if (UserKeyType.Find(reader.ReadName()) is not { } type)
            return;
        type.Check(ref reader);
        reader.End();
    }

    private static void Judge(byte[] data)
    {
        var certificate = UserCertificate.Read(data);
        CertifiedKey.Refusal(certificate, KeyOptions.None, "alice", IPAddress.Loopback, DateTimeOffset.UnixEpoch);
        CertifiedKey.Restrict(KeyOptions.None, certificate);
    }
}
