using Piku.Server.Ssh.Crypto;
using Piku.Server.Ssh.Wire;

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

    [NeedsMachine]
    [Theory]
    [InlineData("", 0, false)]
    [InlineData("", 1, true)]
    [InlineData("no-touch-required ", 0, true)]
    [InlineData("verify-required ", 1, false)]
    [InlineData("verify-required ", 5, true)]
    [InlineData("no-touch-required,verify-required ", 4, true)]
    public async Task Let_in_with_the_presence_that_their_line_demands(string options, byte flags, bool lets)
    {
        await using var server = await TestServer.StartAsync((_, _) => Task.FromResult(0));
        foreach (string name in Types())
        {
            using var authenticator = new Authenticator(name);
            await File.AppendAllTextAsync(
                server.AuthorizedKeysFile, $"{options}{name} {Convert.ToBase64String(authenticator.Blob)}\n", TestContext.Current.CancellationToken);
            await using var client = await RawClient.OpenAsync(server.EndPoint);

            await client.SendAsync(RawClient.SignedRequest(name, authenticator.Blob, client.SessionId, "alice", data => authenticator.Sign(flags, data)));

            await client.ReceiveAsync(lets ? MessageNumber.UserAuthSuccess : MessageNumber.UserAuthFailure);
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
