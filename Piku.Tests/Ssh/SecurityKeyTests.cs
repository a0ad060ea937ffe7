using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Piku.Server.Ssh.Crypto;
using Piku.Server.Ssh.Wire;

namespace Piku.Tests.Ssh;

/// <summary>Signatures as a FIDO authenticator makes them (OpenSSH's PROTOCOL.u2f), made by hand.</summary>
public sealed class SecurityKeyTests
{
    private const string Application = "ssh:";

    private static readonly byte[] Data = "what is signed"u8.ToArray();

    public static TheoryData<string> Types() => ["sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com"];

    [Theory]
    [InlineData(0, (int)Presence.None, true)]
    [InlineData(0, (int)Presence.Touched, false)]
    [InlineData(1, (int)Presence.Touched, true)]
    [InlineData(1, (int)(Presence.Touched | Presence.Verified), false)]
    [InlineData(4, (int)Presence.Touched, false)]
    [InlineData(4, (int)Presence.Verified, true)]
    [InlineData(5, (int)(Presence.Touched | Presence.Verified), true)]
    public void Count_only_with_the_presence_that_is_demanded(byte flags, int demanded, bool isGenuine)
    {
        foreach (string name in Types())
        {
            using var authenticator = new Authenticator(name);
            Assert.Equal(isGenuine, authenticator.Verify(authenticator.Sign(flags), Data, (Presence)demanded));
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Count_for_nothing_when_anything_is_changed(string name)
    {
        using var authenticator = new Authenticator(name);
        var signature = authenticator.Sign(flags: 1);
        Assert.True(authenticator.Verify(signature, Data, Presence.Touched));
        Assert.False(authenticator.Verify(signature, "something else"u8.ToArray(), Presence.Touched));
        Assert.False(authenticator.Verify(authenticator.Sign(1, application: "web:"), Data, Presence.Touched));
        foreach (var fromEnd in new[] { 1, 4, 5, 20 }) // counter, flags, signature
        {
            var changed = signature.ToArray();
            changed[^fromEnd] ^= 4;
            Assert.False(authenticator.Verify(changed, Data, Presence.Touched));
        }
    }

    private sealed class Authenticator : IDisposable
    {
        private readonly UserKeyType _type;
        private readonly Ed25519 _ed25519 = RawClient.NewKey();
        private readonly ECDsa _ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        private readonly byte[] _blob;

        public Authenticator(string name)
        {
            _type = UserKeyType.Find(name)!;
            using var blob = new SshWriter();
            blob.WriteText(name);
            if (IsEd25519)
            {
                blob.WriteString(_ed25519.PublicKey);
            }
            else
            {
                blob.WriteText("nistp256");
                blob.WriteString(EcdsaKey.Bytes(_ecdsa.ExportParameters(includePrivateParameters: false).Q));
            }
            blob.WriteText(Application);
            _blob = blob.Written.ToArray();
        }

        private bool IsEd25519 => _type.Name.Contains("ed25519", StringComparison.Ordinal);

        public byte[] Sign(byte flags, string application = Application)
        {
            byte[] statement = [flags, 0, 0, 0, 0];
            BinaryPrimitives.WriteUInt32BigEndian(statement.AsSpan(1), 42);
            byte[] signed = [.. SHA256.HashData(Encoding.ASCII.GetBytes(application)), .. statement, .. SHA256.HashData(Data)];
            using var signature = new SshWriter();
            signature.WriteText(_type.Name);
            signature.WriteString(IsEd25519 ? _ed25519.Sign(signed) : EcdsaKey.Sign(_ecdsa, signed, HashAlgorithmName.SHA256));
            signature.WriteBytes(statement);
            return signature.Written.ToArray();
        }

        public bool Verify(byte[] signature, byte[] data, Presence demanded)
        {
            try
            {
                return UserKeyType.IsGenuine(_type.Algorithms[0], _blob, data, signature, demanded);
            }
            catch (SshProtocolException)
            {
                return false;
            }
        }

        public void Dispose()
        {
            _ed25519.Dispose();
            _ecdsa.Dispose();
        }
    }
}
