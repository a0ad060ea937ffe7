using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Piku.Server.Ssh;
using Piku.Server.Ssh.Crypto;
using Piku.Server.Ssh.Wire;

namespace Piku.Tests.Ssh;

/// <summary>Before authentication: whatever a stranger does, no session starts.</summary>
[NeedsMachine]
public sealed class AStranger : IAsyncLifetime
{
    private readonly Ed25519 _authorized = RawClient.NewKey();
    private readonly Ed25519 _other = RawClient.NewKey();
    private int _sessions;
    private TestServer _server = null!;

    public async ValueTask InitializeAsync() => await StartAsync(new SshLimits());

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _authorized.Dispose();
        _other.Dispose();
        Assert.Equal(0, _sessions);
        Assert.Empty(_server.Log.LinesAt(LogLevel.Error));
    }

    [Fact]
    public async Task Who_offers_an_authorized_key_without_a_signature_is_still_a_stranger()
    {
        await using var client = await RawClient.OpenAsync(_server.EndPoint);
        await client.SendAsync(MessageNumber.UserAuthRequest, fields => fields
            .Text("alice").Text("ssh-connection").Text("publickey").Boolean(false).Text("ssh-ed25519").String(RawClient.Blob(_authorized)));
        await client.ReceiveAsync(MessageNumber.UserAuthPkOk);

        await client.SendAsync(MessageNumber.ChannelOpen, fields => fields.Text("session").UInt32(0).UInt32(1000).UInt32(1000));

        Assert.Equal(DisconnectReason.ProtocolError, await client.ReceiveDisconnectAsync());
    }

    [Fact]
    public async Task Who_signs_with_another_key_is_refused()
    {
        await using var client = await RawClient.OpenAsync(_server.EndPoint);

        await client.SendAsync(RawClient.SignedRequest(_authorized, _other, client.SessionId));

        await client.ReceiveAsync(MessageNumber.UserAuthFailure);
        Assert.Contains(_server.Log.LinesAt(LogLevel.Warning), line => line.Contains("the signature is not by the key", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Who_replays_the_signature_of_another_connection_is_refused()
    {
        byte[] request;
        await using (var earlier = await RawClient.EnterAsync(_server.EndPoint, _authorized))
            request = RawClient.SignedRequest(_authorized, _authorized, earlier.SessionId);
        await using var client = await RawClient.OpenAsync(_server.EndPoint);

        await client.SendAsync(request);

        await client.ReceiveAsync(MessageNumber.UserAuthFailure);
    }

    [Fact]
    public async Task Who_signs_with_a_key_of_his_own_is_refused()
    {
        await using var client = await RawClient.OpenAsync(_server.EndPoint);

        await client.SendAsync(RawClient.SignedRequest(_other, _other, client.SessionId));

        await client.ReceiveAsync(MessageNumber.UserAuthFailure);
    }

    [Theory]
    [InlineData("rsa-sha2-512")]
    [InlineData("ssh-rsa")]
    [InlineData("none")]
    public async Task Who_names_an_algorithm_that_is_not_the_keys_is_refused(string algorithm)
    {
        await using var client = await RawClient.OpenAsync(_server.EndPoint);

        await client.SendAsync(MessageNumber.UserAuthRequest, fields => fields
            .Text("alice").Text("ssh-connection").Text("publickey").Boolean(false).Text(algorithm).String(RawClient.Blob(_authorized)));

        await client.ReceiveAsync(MessageNumber.UserAuthFailure);
    }

    [Theory]
    [InlineData("none")]
    [InlineData("password")]
    [InlineData("keyboard-interactive")]
    [InlineData("hostbased")]
    public async Task Who_tries_another_method_is_told_that_publickey_is_the_only_one(string method)
    {
        await using var client = await RawClient.OpenAsync(_server.EndPoint);

        await client.SendAsync(MessageNumber.UserAuthRequest, fields => fields.Text("alice").Text("ssh-connection").Text(method).Text("x"));

        Assert.Equal(
            new MessageBuilder(MessageNumber.UserAuthFailure).Text("publickey").Boolean(false).ToArray(), await client.ReceiveAsync());
    }

    [Fact]
    public async Task Who_fails_six_times_has_to_go()
    {
        await using var client = await RawClient.OpenAsync(_server.EndPoint);
        for (var i = 1; i < 6; i++)
        {
            await client.SendAsync(RawClient.SignedRequest(_other, _other, client.SessionId));
            await client.ReceiveAsync(MessageNumber.UserAuthFailure);
        }

        await client.SendAsync(RawClient.SignedRequest(_other, _other, client.SessionId));

        Assert.Equal(DisconnectReason.NoMoreAuthMethodsAvailable, await client.ReceiveDisconnectAsync());
    }

    [Fact]
    public async Task Who_becomes_another_user_has_to_go()
    {
        await using var client = await RawClient.OpenAsync(_server.EndPoint);
        await client.SendAsync(RawClient.SignedRequest(_other, _other, client.SessionId));
        await client.ReceiveAsync(MessageNumber.UserAuthFailure);

        await client.SendAsync(RawClient.SignedRequest(_authorized, _authorized, client.SessionId, "bob"));

        Assert.Equal(DisconnectReason.ProtocolError, await client.ReceiveDisconnectAsync());
    }

    [Fact]
    public async Task Who_is_no_user_is_refused_even_with_an_authorized_key()
    {
        await _server.DisposeAsync();
        await StartAsync(new SshLimits(), options => options with { IsUser = user => user == "piku" });
        await using var client = await RawClient.OpenAsync(_server.EndPoint);

        await client.SendAsync(RawClient.SignedRequest(_authorized, _authorized, client.SessionId));

        await client.ReceiveAsync(MessageNumber.UserAuthFailure);
    }

    [Fact]
    public async Task Who_asks_for_a_channel_before_the_service_has_to_go()
    {
        await using var client = await RawClient.ConnectAsync(_server.EndPoint);
        await client.ExchangeKeysAsync(RawClient.Offer());

        await client.SendAsync(MessageNumber.ChannelOpen, fields => fields.Text("session").UInt32(0).UInt32(1000).UInt32(1000));

        Assert.Equal(DisconnectReason.ProtocolError, await client.ReceiveDisconnectAsync());
    }

    [Fact]
    public async Task Who_proves_a_key_before_the_service_has_to_go()
    {
        await using var client = await RawClient.ConnectAsync(_server.EndPoint);
        await client.ExchangeKeysAsync(RawClient.Offer());

        await client.SendAsync(RawClient.SignedRequest(_authorized, _authorized, client.SessionId));

        Assert.Equal(DisconnectReason.ProtocolError, await client.ReceiveDisconnectAsync());
    }

    [Fact]
    public async Task Who_requests_the_service_again_has_to_go()
    {
        await using var client = await RawClient.OpenAsync(_server.EndPoint);

        await client.RequestServiceAsync("ssh-userauth");

        Assert.Equal(DisconnectReason.ProtocolError, await client.ReceiveDisconnectAsync());
    }

    [Fact]
    public async Task Who_claims_to_have_been_let_in_has_to_go()
    {
        await using var client = await RawClient.OpenAsync(_server.EndPoint);

        await client.SendAsync(MessageNumber.UserAuthSuccess);

        Assert.Equal(DisconnectReason.ProtocolError, await client.ReceiveDisconnectAsync());
    }

    [Fact]
    public async Task Who_signs_for_another_user_name_than_he_gives_is_refused()
    {
        await using var client = await RawClient.OpenAsync(_server.EndPoint);
        var request = RawClient.SignedRequest(_authorized, _authorized, client.SessionId, "alice");
        request[1 + sizeof(uint)] = (byte)'A';

        await client.SendAsync(request);

        await client.ReceiveAsync(MessageNumber.UserAuthFailure);
    }

    [Theory]
    [InlineData("ssh-connection")]
    [InlineData("ssh-nothing")]
    public async Task Who_requests_another_service_has_to_go(string service)
    {
        await using var client = await RawClient.ConnectAsync(_server.EndPoint);
        await client.ExchangeKeysAsync(RawClient.Offer());

        await client.RequestServiceAsync(service);

        Assert.Equal(DisconnectReason.ServiceNotAvailable, await client.ReceiveDisconnectAsync());
    }

    [Fact]
    public async Task Who_sends_too_many_packets_has_to_go()
    {
        await using var client = await RawClient.OpenAsync(_server.EndPoint);

        for (var i = 0; i < _server.Options.Limits.PacketsBeforeAuthentication; i++)
            await client.SendAsync(MessageNumber.Ignore, fields => fields.Text("x"));

        Assert.Equal(DisconnectReason.ProtocolError, await client.ReceiveDisconnectAsync());
    }

    [Fact]
    public async Task Who_says_nothing_has_to_go_when_the_time_is_over()
    {
        await _server.DisposeAsync();
        var clock = new FakeTimeProvider();
        await StartAsync(new SshLimits { LoginGrace = TimeSpan.FromSeconds(60) }, options => options with { Clock = clock });
        await using var silent = await RawClient.ConnectAsync(_server.EndPoint);
        await silent.ReceiveVersionAsync();
        await silent.ReceiveAsync(MessageNumber.KexInit);
        var end = silent.ReceiveDisconnectAsync();

        clock.Advance(TimeSpan.FromSeconds(59));
        Assert.False(end.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(DisconnectReason.ByApplication, await end);
    }

    [Fact]
    public async Task Who_sends_a_byte_at_a_time_has_to_go_when_the_time_is_over()
    {
        await _server.DisposeAsync();
        var clock = new FakeTimeProvider();
        await StartAsync(new SshLimits { LoginGrace = TimeSpan.FromSeconds(60) }, options => options with { Clock = clock });
        await using var slow = await RawClient.ConnectAsync(_server.EndPoint);
        await slow.ReceiveVersionAsync();
        await slow.ReceiveAsync(MessageNumber.KexInit);

        for (var second = 0; second < 60; second++)
        {
            await slow.SendTextAsync("S");
            clock.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(DisconnectReason.ByApplication, await slow.ReceiveDisconnectAsync());
    }

    [Fact]
    public async Task One_address_cannot_take_all_places_and_gets_them_back()
    {
        var limit = _server.Options.Limits.StartingConnectionsPerAddress;
        var clients = new List<RawClient>();
        for (var i = 0; i < limit; i++)
        {
            clients.Add(await RawClient.ConnectAsync(_server.EndPoint));
            await clients[^1].ReceiveVersionAsync();
        }

        await using var extra = await RawClient.ConnectAsync(_server.EndPoint);
        Assert.Equal("too many connections are starting from this address", await extra.ReceiveVersionAsync());

        foreach (var client in clients)
            await client.DisposeAsync();
        await Wait.UntilAsync(() => _server.Log.Lines.Count(line => line.Contains("ended", StringComparison.Ordinal)) == limit);
        await using var next = await RawClient.OpenAsync(_server.EndPoint);
    }

    private async Task StartAsync(SshLimits limits, Func<SshServerOptions, SshServerOptions>? configure = null)
    {
        _server = await TestServer.StartAsync(
            (_, _) =>
            {
                Interlocked.Increment(ref _sessions);
                return Task.FromResult(0);
            },
            options => (configure ?? (same => same))(options with { Limits = limits }));
        await File.AppendAllTextAsync(_server.AuthorizedKeysFile, RawClient.Line(_authorized), TestContext.Current.CancellationToken);
    }
}
