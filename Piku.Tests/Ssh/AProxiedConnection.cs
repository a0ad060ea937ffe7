using System.Collections.Concurrent;
using System.Net;
using Microsoft.Extensions.Time.Testing;
using Piku.Server.Ssh;
using Piku.Server.Ssh.Authentication;
using Piku.Server.Ssh.Crypto;
using Piku.Server.Ssh.Transport;
using Piku.Server.Ssh.Wire;

namespace Piku.Tests.Ssh;

/// <summary>What comes through a trusted proxy is its client's (PROXY protocol, version 2); all others say it in vain.</summary>
[NeedsMachine]
public sealed class AProxiedConnection : IAsyncLifetime
{
    private static readonly IPAddress Trusted = IPAddress.Parse("127.0.0.2"), Client = IPAddress.Parse("203.0.113.7");

    private readonly Ed25519 _key = RawClient.NewKey();
    private readonly ConcurrentQueue<SshRecord> _records = [];
    private readonly FakeTimeProvider _clock = new();
    private TestServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync(
            (_, _) => Task.FromResult(0),
            options => options with
            {
                Proxies = AddressPatterns.Parse("127.0.0.2"),
                Record = _records.Enqueue,
                Clock = _clock,
                Limits = new() { ProxyHeaderLength = 100 },
            });
        await File.AppendAllTextAsync(
            _server.AuthorizedKeysFile, $"from=\"203.0.113.7\" {RawClient.Line(_key)}", TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _key.Dispose();
    }

    [Fact]
    public async Task Is_judged_and_recorded_by_its_clients_address()
    {
        await using (var client = await ConnectAsync(Trusted, FuzzSeeds.ProxyHeaders[0]))
        {
            await EnterAsync(client);
            Assert.Equal(MessageNumber.UserAuthSuccess, RawClient.Number(await client.ReceiveAsync()));
        }
        await Wait.UntilAsync(() => _records.OfType<SshConnectionRecord>().Any());
        Assert.All(_records, record => Assert.Equal(Client, record.Address));
        Assert.NotEmpty(_records.OfType<SshLogin>());
    }

    [Fact]
    public async Task Of_another_client_is_not_that_clients()
    {
        await using var client = await ConnectAsync(Trusted, FuzzSeeds.ProxyHeaders[1]);
        await EnterAsync(client);
        Assert.Equal(MessageNumber.UserAuthFailure, RawClient.Number(await client.ReceiveAsync()));
    }

    [Fact]
    public async Task Of_the_proxys_own_has_the_proxys_address()
    {
        await using (var client = await ConnectAsync(Trusted, FuzzSeeds.ProxyHeaders[2]))
            Assert.Equal(_server.Options.Version, await client.ReceiveVersionAsync());
        await Wait.UntilAsync(() => _records.OfType<SshConnectionRecord>().Any());
        Assert.Equal(Trusted, _records.First().Address);
    }

    [Fact]
    public async Task Without_a_header_is_refused()
    {
        await using var hasty = await ConnectAsync(Trusted, "SSH-2.0-OpenSSH_9.2\r\n"u8.ToArray());
        await using var silent = await ConnectAsync(Trusted, []);
        await using var old = await ConnectAsync(Trusted, "PROXY TCP4 203.0.113.7 192.0.2.1 4711 22\r\n"u8.ToArray());

        var refusal = silent.ReceiveVersionAsync();
        await Wait.UntilAsync(() =>
        {
            _clock.Advance(_server.Options.Limits.ProxyHeaderWithin); // from whenever the server has taken it
            return refusal.IsCompleted;
        });
        Assert.Equal("the proxy does not say whose connection it is", await refusal);
        await Wait.UntilAsync(() => _server.Log.Lines.Count(line => line.Contains("does not say whose connection", StringComparison.Ordinal)) >= 3);
        Assert.Single(_records.OfType<SshRefusal>());
    }

    [Fact]
    public async Task From_anybody_else_is_no_connection_of_SSH()
    {
        await using var client = await ConnectAsync(IPAddress.Loopback, FuzzSeeds.ProxyHeaders[0]);
        await client.ReceiveVersionAsync();
        await client.ReceiveAsync(MessageNumber.KexInit);
        Assert.Equal(DisconnectReason.ProtocolVersionNotSupported, await client.ReceiveDisconnectAsync());
    }

    [Theory]
    [InlineData("0D0A0D0A000D0A515549540A 2111000C CB007107C0000201C0000016", "203.0.113.7:49152")]
    [InlineData("0D0A0D0A000D0A515549540A 21110010 CB007107C0000201C0000016 04000100", "203.0.113.7:49152")]
    [InlineData("0D0A0D0A000D0A515549540A 20000000", null)]
    [InlineData("0D0A0D0A000D0A515549540A 20110002 0000", null)]
    public void Has_a_header_that_is_read(string hex, string? client) =>
        Assert.Equal(client, ProxyHeader.Read(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal)), most: 100)?.ToString());

    [Theory]
    [InlineData("0D0A0D0A000D0A515549540A 2111000B CB007107C0000201C00000")] // addresses cut off
    [InlineData("0D0A0D0A000D0A515549540A 2111000C CB007107C0000201C00000")] // less than announced
    [InlineData("0D0A0D0A000D0A515549540A 1111000C CB007107C0000201C0000016")] // version 1
    [InlineData("0D0A0D0A000D0A515549540A 2211000C CB007107C0000201C0000016")] // an unknown command
    [InlineData("0D0A0D0A000D0A515549540A 2112000C CB007107C0000201C0000016")] // UDP
    [InlineData("0D0A0D0A000D0A515549540A 2100000C CB007107C0000201C0000016")] // no protocol
    [InlineData("0D0A0D0A000D0A515549540B 2111000C CB007107C0000201C0000016")] // another signature
    [InlineData("0D0A0D0A000D0A515549540A 21110065")] // longer than allowed
    [InlineData("0D0A0D0A000D0A")]
    public void Has_no_other_header(string hex) => Assert.Throws<FormatException>(
        () => ProxyHeader.Read(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal)), most: 100));

    private async Task<RawClient> ConnectAsync(IPAddress from, byte[] header)
    {
        var client = await RawClient.ConnectAsync(_server.EndPoint, from);
        await client.SendBytesAsync(header);
        return client;
    }

    private async Task EnterAsync(RawClient client)
    {
        await client.ExchangeKeysAsync(RawClient.Offer());
        await client.RequestServiceAsync("ssh-userauth");
        await client.ReceiveAsync(MessageNumber.ServiceAccept);
        await client.SendAsync(RawClient.SignedRequest(_key, _key, client.SessionId));
    }
}
