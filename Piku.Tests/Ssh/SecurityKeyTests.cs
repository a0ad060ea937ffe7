using Piku.Server.Ssh.Crypto;

namespace Piku.Tests.Ssh;

/// <summary>Signatures as a FIDO authenticator makes them (OpenSSH's PROTOCOL.u2f), made by hand.</summary>
public sealed class SecurityKeyTests
{
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
            Assert.Equal(isGenuine, authenticator.Verify(authenticator.Sign(flags), Authenticator.Data, (Presence)demanded));
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Count_for_nothing_when_anything_is_changed(string name)
    {
        using var authenticator = new Authenticator(name);
        var signature = authenticator.Sign(flags: 1);
        Assert.True(authenticator.Verify(signature, Authenticator.Data, Presence.Touched));
        Assert.False(authenticator.Verify(signature, "something else"u8.ToArray(), Presence.Touched));
        Assert.False(authenticator.Verify(authenticator.Sign(1, application: "web:"), Authenticator.Data, Presence.Touched));
        foreach (var fromEnd in new[] { 1, 4, 5, 20 }) // counter, flags, signature
        {
            var changed = signature.ToArray();
            changed[^fromEnd] ^= 4;
            Assert.False(authenticator.Verify(changed, Authenticator.Data, Presence.Touched));
        }
    }
}
