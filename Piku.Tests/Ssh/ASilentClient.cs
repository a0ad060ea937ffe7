using Microsoft.Extensions.Time.Testing;
using Piku.Server.Ssh;
using Piku.Server.Ssh.Crypto;
using Piku.Server.Ssh.Wire;

namespace Piku.Tests.Ssh;

/// <summary>A connection lives as long as its client does and uses it.</summary>
[NeedsMachine]
public sealed class ASilentClient : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private readonly Ed25519 _key = RawClient.NewKey();
    private readonly FakeTimeProvider _clock = new();

    [Fact]
    public async Task Is_asked_for_a_sign_of_life_and_then_given_up()
    {
        await using var server = await StartAsync(new SshLimits { KeepAliveInterval = Interval, KeepAliveMisses = 2 });
        await using var client = await EnterAsync(server);

        for (var question = 0; question < 2; question++)
        {
            _clock.Advance(Interval);
            await client.ReceiveAsync(MessageNumber.GlobalRequest);
        }
        _clock.Advance(Interval);

        Assert.Equal(DisconnectReason.ConnectionLost, await client.ReceiveDisconnectAsync());
    }

    [Theory]
    [InlineData((int)MessageNumber.RequestFailure)]
    [InlineData((int)MessageNumber.RequestSuccess)]
    public async Task Stays_when_it_answers(int answer)
    {
        await using var server = await StartAsync(new SshLimits { KeepAliveInterval = Interval, KeepAliveMisses = 1 });
        await using var client = await EnterAsync(server);

        for (var i = 0; i < 5; i++)
        {
            _clock.Advance(Interval);
            await client.ReceiveAsync(MessageNumber.GlobalRequest);
            await client.SendAsync((MessageNumber)answer);
            await client.CatchUpAsync();
            _clock.Advance(Interval); // it has heard something
        }
    }

    [Fact]
    public async Task Goes_when_it_does_nothing_for_too_long()
    {
        await using var server = await StartAsync(new SshLimits { IdleTimeout = 2 * Interval, KeepAliveInterval = TimeSpan.Zero });
        await using var client = await EnterAsync(server);

        _clock.Advance(Interval);

        Assert.Equal(DisconnectReason.ByApplication, await client.ReceiveDisconnectAsync());
    }

    [Fact]
    public async Task Stays_while_a_channel_is_open()
    {
        await using var server = await StartAsync(new SshLimits { IdleTimeout = 2 * Interval, KeepAliveInterval = TimeSpan.Zero }, async (_, cancel) =>
        {
            await Task.Delay(Timeout.Infinite, cancel);
            return 0;
        });
        await using var client = await EnterAsync(server);
        await client.ExecAsync(await client.OpenSessionAsync(), "wait");
        await client.CatchUpAsync();

        for (var i = 0; i < 5; i++)
            _clock.Advance(Interval);

        await client.CatchUpAsync();
    }

    public void Dispose() => _key.Dispose();

    /// <summary>In, and the first interval, in which it has said something, is over.</summary>
    private async Task<RawClient> EnterAsync(TestServer server)
    {
        var client = await RawClient.EnterAsync(server.EndPoint, _key);
        await client.CatchUpAsync();
        _clock.Advance(Interval);
        return client;
    }

    private async Task<TestServer> StartAsync(SshLimits limits, Func<SshSession, CancellationToken, Task<int>>? handler = null)
    {
        var server = await TestServer.StartAsync(handler ?? ((_, _) => Task.FromResult(0)), options => options with { Limits = limits, Clock = _clock });
        await File.AppendAllTextAsync(server.AuthorizedKeysFile, RawClient.Line(_key), TestContext.Current.CancellationToken);
        return server;
    }
}
