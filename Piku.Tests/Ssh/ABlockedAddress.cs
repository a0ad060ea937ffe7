using System.Collections.Concurrent;
using System.Net;
using Piku.Server.Ssh;
using Piku.Server.Ssh.Authentication;
using Piku.Server.Ssh.Crypto;
using Piku.Server.Ssh.Wire;

namespace Piku.Tests.Ssh;

/// <summary>Whoever keeps failing has to wait (sshd's PerSourcePenalties).</summary>
[NeedsMachine]
public sealed class ABlockedAddress
{
    private static readonly IPAddress Failing = IPAddress.Parse("127.0.0.9");

    [Fact]
    public async Task Is_let_in_no_more_and_recorded_once()
    {
        using var stranger = RawClient.NewKey();
        var records = new ConcurrentQueue<SshRecord>();
        await using var server = await StartAsync(records, AddressPatterns.None);

        for (var i = 1; i <= 3; i++)
            await FailAsync(server, stranger, i, records);
        await Wait.UntilAsync(() => records.OfType<SshBlock>().Any());

        for (var i = 0; i < 2; i++)
        {
            await using var refused = await RawClient.ConnectAsync(server.EndPoint, Failing);
            Assert.Equal("this address has failed too often, and has to wait", await refused.ReceiveVersionAsync());
        }
        Assert.Equal(Failing, Assert.Single(records.OfType<SshBlock>()).Address);
        Assert.Empty(records.OfType<SshRefusal>());
        Assert.Equal(0, (await server.SshAsync("anything")).ExitCode); // from 127.0.0.1
    }

    [Fact]
    public async Task Is_none_of_this_machines_own_by_default()
    {
        using var stranger = RawClient.NewKey();
        var records = new ConcurrentQueue<SshRecord>();
        await using var server = await StartAsync(records, AddressPatterns.Loopback);

        for (var i = 1; i <= 5; i++)
            await FailAsync(server, stranger, i, records);

        await using var client = await RawClient.OpenAsync(server.EndPoint, from: Failing);
        Assert.Empty(records.OfType<SshBlock>());
    }

    private static Task<TestServer> StartAsync(ConcurrentQueue<SshRecord> records, AddressPatterns exempt) => TestServer.StartAsync(
        (_, _) => Task.FromResult(0),
        options => options with { Record = records.Enqueue, Limits = new() { Penalties = new() { Exempt = exempt, Failure = TimeSpan.FromSeconds(60), Threshold = TimeSpan.FromSeconds(150) } } });

    /// <summary>Until the server has noted it.</summary>
    private static async Task FailAsync(TestServer server, Ed25519 stranger, int times, ConcurrentQueue<SshRecord> records)
    {
        await using (var client = await RawClient.OpenAsync(server.EndPoint, from: Failing))
        {
            await client.SendAsync(RawClient.SignedRequest(stranger, stranger, client.SessionId));
            await client.ReceiveAsync(MessageNumber.UserAuthFailure);
        }
        await Wait.UntilAsync(() => records.OfType<SshConnectionRecord>().Count(record => record.Address.Equals(Failing)) == times);
    }
}
