using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Piku.Server.Ssh;
using Piku.Server.Ssh.Crypto;
using Piku.Server.Ssh.Transport;
using Piku.Server.Ssh.Wire;

namespace Piku.Tests.Ssh;

/// <summary>The transport layer against clients that break it (RFC 4253; strict key exchange against Terrapin, CVE-2023-48795).</summary>
[NeedsMachine]
public sealed class TheTransport : IAsyncLifetime
{
    private readonly Ed25519 _key = RawClient.NewKey();
    private TestServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await StartAsync(new SshLimits());

    public async ValueTask DisposeAsync()
    {
        Assert.Equal(0, (await _server.SshAsync("still serves")).ExitCode);
        await _server.DisposeAsync();
        _key.Dispose();
        Assert.Empty(_server.Log.LinesAt(LogLevel.Error));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Resets_sequence_numbers_only_with_strict_key_exchange(bool strict)
    {
        await using var client = await RawClient.OpenAsync(_server.EndPoint, strict);

        await client.SendAsync(RawClient.SignedRequest(_key, _key, client.SessionId));

        await client.ReceiveAsync(MessageNumber.UserAuthSuccess);
    }

    [Fact]
    public async Task Ends_a_strict_exchange_when_a_message_comes_before_KEXINIT()
    {
        await using var client = await RawClient.ConnectAsync(_server.EndPoint);
        await client.ReceiveVersionAsync();
        await client.SendTextAsync(RawClient.Version + "\r\n");
        await client.SendAsync(MessageNumber.Ignore, fields => fields.Text(""));

        await client.ExchangeInitsAsync(RawClient.Offer());

        Assert.Equal(DisconnectReason.KeyExchangeFailed, await client.ReceiveDisconnectAsync());
    }

    [Theory]
    [InlineData((int)MessageNumber.Ignore)]
    [InlineData((int)MessageNumber.Debug)]
    [InlineData((int)MessageNumber.Unimplemented)]
    [InlineData((int)MessageNumber.KexInit)]
    [InlineData((int)MessageNumber.NewKeys)]
    [InlineData((int)MessageNumber.ServiceRequest)]
    public async Task Ends_a_strict_exchange_when_another_message_comes_in_between(int number)
    {
        await using var client = await RawClient.ConnectAsync(_server.EndPoint);
        await client.ReceiveVersionAsync();
        await client.SendTextAsync(RawClient.Version + "\r\n");
        await client.ExchangeInitsAsync(RawClient.Offer());

        await client.SendAsync((MessageNumber)number, fields => fields.Text(""));

        Assert.Equal(DisconnectReason.ProtocolError, await client.ReceiveDisconnectAsync());
    }

    [Fact]
    public async Task Tells_which_signatures_it_accepts()
    {
        await using var client = await RawClient.ConnectAsync(_server.EndPoint);

        await client.ExchangeKeysAsync(RawClient.Offer());

        Assert.Equal(
            new MessageBuilder(MessageNumber.ExtInfo).UInt32(1).Text("server-sig-algs")
                .Text("ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,rsa-sha2-512,rsa-sha2-256,"
                    + "sk-ssh-ed25519@openssh.com,sk-ecdsa-sha2-nistp256@openssh.com").ToArray(),
            client.ExtInfo);
    }

    [Fact]
    public async Task Skips_the_message_of_a_wrong_guess()
    {
        var offer = RawClient.Offer(true, "ecdh-sha2-nistp256", "curve25519-sha256") with { FirstKexPacketFollows = true };
        await using var client = await RawClient.ConnectAsync(_server.EndPoint);
        var version = await client.ReceiveVersionAsync();
        await client.SendTextAsync(RawClient.Version + "\r\n");
        var (serverInit, clientInit) = await client.ExchangeInitsAsync(offer);
        await client.SendAsync(MessageNumber.KexEcdhInit, fields => fields.Text("for another exchange"));

        await client.FinishExchangeAsync(offer, version, serverInit, clientInit);
        await client.RequestServiceAsync("ssh-userauth");

        await client.ReceiveAsync(MessageNumber.ServiceAccept);
    }

    [Theory]
    [InlineData("diffie-hellman-group1-sha1", "ssh-ed25519", "chacha20-poly1305@openssh.com", "none")]
    [InlineData("curve25519-sha256", "ssh-rsa", "chacha20-poly1305@openssh.com", "none")]
    [InlineData("curve25519-sha256", "ssh-ed25519", "3des-cbc", "none")]
    [InlineData("curve25519-sha256", "ssh-ed25519", "aes128-ctr", "none")] // with hmac-sha2-256 only
    [InlineData("curve25519-sha256", "ssh-ed25519", "chacha20-poly1305@openssh.com", "zlib")]
    public async Task Ends_when_there_is_nothing_in_common(string kex, string hostKey, string cipher, string compression)
    {
        await using var client = await RawClient.ConnectAsync(_server.EndPoint);
        await client.ReceiveVersionAsync();
        await client.SendTextAsync(RawClient.Version + "\r\n");

        await client.ExchangeInitsAsync(RawClient.Offer(true, kex) with
        {
            HostKeys = [hostKey],
            CiphersToClient = [cipher],
            CompressionToServer = [compression],
        });

        Assert.Equal(DisconnectReason.KeyExchangeFailed, await client.ReceiveDisconnectAsync());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(31)]
    [InlineData(32)]
    [InlineData(33)]
    public async Task Ends_when_the_clients_share_is_not_a_share(int length)
    {
        await using var client = await RawClient.ConnectAsync(_server.EndPoint);
        await client.ReceiveVersionAsync();
        await client.SendTextAsync(RawClient.Version + "\r\n");
        await client.ExchangeInitsAsync(RawClient.Offer());

        // 32 zeros are a point of low order: the secret would be zero.
        await client.SendAsync(MessageNumber.KexEcdhInit, fields => fields.String(new byte[length]));

        Assert.Equal(DisconnectReason.KeyExchangeFailed, await client.ReceiveDisconnectAsync());
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n")]
    [InlineData("SSH-1.5-old\r\n")]
    [InlineData("\n")]
    [InlineData("SSH-2.0-\u0001\r\n")]
    public async Task Ends_when_the_client_speaks_something_else(string line)
    {
        await using var client = await RawClient.ConnectAsync(_server.EndPoint);
        await client.ReceiveVersionAsync();
        await client.ReceiveAsync(MessageNumber.KexInit);

        await client.SendTextAsync(line);

        Assert.Equal(DisconnectReason.ProtocolVersionNotSupported, await client.ReceiveDisconnectAsync());
    }

    [Fact]
    public async Task Ends_when_the_version_has_no_end()
    {
        await using var client = await RawClient.ConnectAsync(_server.EndPoint);
        await client.ReceiveVersionAsync();
        await client.ReceiveAsync(MessageNumber.KexInit);

        await client.SendTextAsync("SSH-2.0-" + new string('x', 300));

        Assert.Equal(DisconnectReason.ProtocolVersionNotSupported, await client.ReceiveDisconnectAsync());
    }

    [Theory]
    [InlineData("00000000")]
    [InlineData("00000001")]
    [InlineData("00000005")]
    [InlineData("0000000d")]
    [InlineData("000088bc")]
    [InlineData("7fffffff")]
    [InlineData("ffffffff")]
    public async Task Ends_when_a_packets_length_cannot_be(string length)
    {
        await using var client = await RawClient.ConnectAsync(_server.EndPoint);
        await client.ReceiveVersionAsync();
        await client.ReceiveAsync(MessageNumber.KexInit);

        await client.SendTextAsync(RawClient.Version + "\r\n");
        await client.SendBytesAsync(Convert.FromHexString(length));

        Assert.Equal(DisconnectReason.ProtocolError, await client.ReceiveDisconnectAsync());
    }

    [Theory]
    [InlineData(3)]
    [InlineData(11)]
    [InlineData(255)]
    public async Task Ends_when_a_packets_padding_cannot_be(byte padding)
    {
        var packet = new byte[16];
        packet[3] = 12;
        packet[4] = padding;
        packet[5] = (byte)MessageNumber.Ignore;
        await using var client = await RawClient.ConnectAsync(_server.EndPoint);
        await client.ReceiveVersionAsync();
        await client.ReceiveAsync(MessageNumber.KexInit);
        await client.SendTextAsync(RawClient.Version + "\r\n");

        await client.SendBytesAsync(packet);

        Assert.Equal(DisconnectReason.ProtocolError, await client.ReceiveDisconnectAsync());
    }

    [Fact]
    public async Task Ends_when_a_packet_is_not_authentic()
    {
        await using var client = await RawClient.OpenAsync(_server.EndPoint);
        var packet = client.Seal(new MessageBuilder(MessageNumber.Ignore).Text("xxxxxxxx").ToArray());
        packet[^20] ^= 1;

        await client.SendBytesAsync(packet);

        Assert.Equal(DisconnectReason.MacError, await client.ReceiveDisconnectAsync());
    }

    [Fact]
    public async Task Ends_when_a_packet_comes_twice()
    {
        await using var client = await RawClient.OpenAsync(_server.EndPoint);
        var packet = client.Seal(new MessageBuilder(MessageNumber.Ignore).Text("x").ToArray());
        await client.SendBytesAsync(packet);

        await client.SendBytesAsync(packet);

        // The length of the replayed packet opens to noise, which is refused as such or fails to authenticate.
        Assert.Contains(await client.ReceiveDisconnectAsync(), new[] { DisconnectReason.ProtocolError, DisconnectReason.MacError });
    }

    [Fact]
    public async Task Ends_when_NEWKEYS_comes_a_second_time()
    {
        await using var client = await RawClient.OpenAsync(_server.EndPoint);

        await client.SendAsync(MessageNumber.NewKeys);

        Assert.Equal(DisconnectReason.ProtocolError, await client.ReceiveDisconnectAsync());
    }

    [Fact]
    public async Task Keeps_the_session_id_when_keys_change()
    {
        await using var client = await RawClient.OpenAsync(_server.EndPoint);
        var first = client.SessionId;
        var (serverInit, clientInit) = await client.ExchangeInitsAsync(RawClient.Offer());
        await client.FinishExchangeAsync(RawClient.Offer(), _server.Options.Version, serverInit, clientInit);

        await client.SendAsync(RawClient.SignedRequest(_key, _key, first));

        await client.ReceiveAsync(MessageNumber.UserAuthSuccess);
    }

    [Fact]
    public async Task Ends_when_the_client_does_not_answer_its_wish_to_change_keys()
    {
        var clock = new FakeTimeProvider();
        var limits = new SshLimits { RekeyAfter = TimeSpan.Zero };
        await using var server = await StartAsync(limits, clock);
        await using var client = await RawClient.EnterAsync(server.EndPoint, _key);

        await client.SendAsync(MessageNumber.GlobalRequest, fields => fields.Text("keepalive@openssh.com").Boolean(true));

        await client.ReceiveAsync(MessageNumber.KexInit);
        clock.Advance(limits.RekeyWithin);
        Assert.Equal(DisconnectReason.KeyExchangeFailed, await client.ReceiveDisconnectAsync());
    }

    [Fact]
    public async Task Ends_when_the_client_asks_and_asks_instead_of_changing_keys()
    {
        await using var server = await StartAsync(new SshLimits { RekeyAfter = TimeSpan.Zero, SendBuffer = 1024 });
        await using var client = await RawClient.EnterAsync(server.EndPoint, _key);

        for (var i = 0; i < 250; i++)
            await client.SendAsync(MessageNumber.GlobalRequest, fields => fields.Text("keepalive@openssh.com").Boolean(true));

        await client.ReceiveAsync(MessageNumber.KexInit);
        Assert.Equal(DisconnectReason.ProtocolError, await client.ReceiveDisconnectAsync());
    }

    [Fact]
    public async Task Takes_a_flood_of_messages_to_ignore_and_keeps_none()
    {
        var noise = new byte[32 * 1024];
        await using var client = await RawClient.EnterAsync(_server.EndPoint, _key);
        var before = GC.GetTotalMemory(forceFullCollection: true);

        for (var i = 0; i < 3000; i++)
            await client.SendAsync((i % 3) switch { 0 => MessageNumber.Ignore, 1 => MessageNumber.Debug, _ => MessageNumber.Unimplemented }, fields => fields.String(noise));

        await client.SendAsync(MessageNumber.GlobalRequest, fields => fields.Text("keepalive@openssh.com").Boolean(true));
        await client.ReceiveAsync(MessageNumber.RequestFailure);
        // Tests beside this one have memory too, and give it back.
        await Eventually.TrueAsync(() => GC.GetTotalMemory(forceFullCollection: true) - before <= 8 * 1024 * 1024);
    }

    [Fact]
    public async Task Answers_a_message_that_it_does_not_know()
    {
        await using var client = await RawClient.EnterAsync(_server.EndPoint, _key);
        var sequence = client.SendSequence;

        await client.SendAsync((MessageNumber)192, fields => fields.Text("ping"));

        Assert.Equal(new MessageBuilder(MessageNumber.Unimplemented).UInt32(sequence).ToArray(), await client.ReceiveAsync());
    }

    [Fact]
    public async Task Offers_every_cipher_and_exchange_that_it_has()
    {
        await using var client = await RawClient.ConnectAsync(_server.EndPoint);
        Assert.Equal("SSH-2.0-piku_0.1", await client.ReceiveVersionAsync());

        var offer = KexInit.Read(await client.ReceiveAsync(MessageNumber.KexInit));

        string[] mlkem = MLKem768.IsSupported ? ["mlkem768x25519-sha256"] : [];
        Assert.Equal(
            [
                .. mlkem, "sntrup761x25519-sha512", "sntrup761x25519-sha512@openssh.com",
                "curve25519-sha256", "curve25519-sha256@libssh.org", "kex-strict-s-v00@openssh.com",
            ],
            offer.Kex);
        Assert.Equal(["ssh-ed25519"], offer.HostKeys);
        Assert.Equal(["chacha20-poly1305@openssh.com", "aes256-gcm@openssh.com", "aes128-gcm@openssh.com", "aes256-ctr", "aes128-ctr"], offer.CiphersToClient);
        Assert.Equal(["hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com"], offer.MacsToClient);
        Assert.Equal(["none"], offer.CompressionToClient);
    }

    private async Task<TestServer> StartAsync(SshLimits limits, TimeProvider? clock = null)
    {
        var server = await TestServer.StartAsync((_, _) => Task.FromResult(0), options => options with { Limits = limits, Clock = clock ?? TimeProvider.System });
        await File.AppendAllTextAsync(server.AuthorizedKeysFile, RawClient.Line(_key), TestContext.Current.CancellationToken);
        return server;
    }
}
