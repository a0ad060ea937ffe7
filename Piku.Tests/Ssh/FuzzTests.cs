using System.Net;
using Piku.Server.Ssh.Authentication;
using Piku.Server.Ssh.Crypto;
using Piku.Server.Ssh.Transport;
using Piku.Server.Ssh.Wire;

namespace Piku.Tests.Ssh;

/// <summary>Every parser that a stranger can reach ends with a value or with a protocol error, whatever the bytes.</summary>
public sealed class FuzzTests
{
    private const int Rounds = 20_000;

    [Fact]
    public void KEXINIT() => Fuzz(RawClient.Offer().Write(), data => KexInit.Read(data));

    [Fact]
    public void Authentication_requests()
    {
        using var key = RawClient.NewKey();
        Fuzz(RawClient.SignedRequest(key, key, new byte[32]), data => AuthenticationRequest.Read(data));
    }

    [Fact]
    public void Public_keys_and_signatures_of_every_type()
    {
        foreach (var type in UserKeyType.All)
        {
            foreach (var algorithm in type.Algorithms)
            {
                using var seed = new SshWriter();
                seed.WriteText("nistp256");
                seed.WriteString(new byte[65]);
                seed.WriteMpint(new byte[32]);
                Fuzz(seed.Written.ToArray(), data =>
                {
                    var reader = new SshReader(data);
                    type.Check(ref reader);
                    algorithm.Verify(new SshReader(data), "data"u8, new SshReader(data), Presence.Touched);
                });
            }
        }
    }

    [Fact]
    public void Certificates()
    {
        using var key = RawClient.NewKey();
        using var seed = new SshWriter();
        seed.WriteText("ssh-ed25519-cert-v01@openssh.com");
        seed.WriteText("nonce");
        seed.WriteString(key.PublicKey);
        seed.WriteBytes([0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 1]); // serial, for users
        seed.WriteText("id");
        seed.WriteString([0, 0, 0, 5, .. "alice"u8]);
        seed.WriteBytes([0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255]); // always valid
        seed.WriteString([0, 0, 0, 14, .. "source-address"u8, 0, 0, 0, 13, 0, 0, 0, 9, .. "127.0.0.1"u8]);
        seed.WriteString([0, 0, 0, 10, .. "permit-pty"u8, 0, 0, 0, 0]);
        seed.WriteText("");
        seed.WriteString(RawClient.Blob(key));
        seed.WriteString([0, 0, 0, 11, .. "ssh-ed25519"u8, 0, 0, 0, 64, .. new byte[64]]);
        Assert.Null(CertifiedKey.Refusal(
            UserCertificate.Read(seed.Written), KeyOptions.None, "alice", IPAddress.Loopback, DateTimeOffset.UnixEpoch));
        Fuzz(seed.Written.ToArray(), data =>
        {
            var certificate = UserCertificate.Read(data);
            CertifiedKey.Refusal(certificate, KeyOptions.None, "alice", IPAddress.Loopback, DateTimeOffset.UnixEpoch);
            certificate.IsSignedBy(UserKeyType.All[0], RawClient.Blob(key));
        });
    }

    private static void Fuzz(byte[] seed, Action<byte[]> parse)
    {
        var random = new Random(seed.Length);
        for (var round = 0; round < Rounds; round++)
        {
            var data = Mutation.Of(seed, random, fewest: 1, most: 4);
            try
            {
                parse(data);
            }
            catch (SshProtocolException)
            {
                continue;
            }
        }
    }
}
