using Piku.Server.Ssh;
using Piku.Server.Ssh.Crypto;
using Piku.Server.Ssh.Wire;

namespace Piku.Tests.Ssh;

/// <summary>A connection lives as long as its client does and uses it.</summary>
public sealed class ASilentClient : IDisposable
{
    private readonly Ed25519 _key = RawClient.NewKey();

    [Fact]
    public async Task Is_asked_for_a_sign_of_life_and_then_given_up()
    {
        await using var server = await StartAsync(new SshLimits { KeepAliveInterval = TimeSpan.FromMilliseconds(100), KeepAliveMisses = 2 });
        await using var client = await RawClient.EnterAsync(server.EndPoint, _key);

        await client.ReceiveAsync(MessageNumber.GlobalRequest);
        await client.ReceiveAsync(MessageNumber.GlobalRequest);

        Assert.Equal(DisconnectReason.ConnectionLost, await client.ReceiveDisconnectAsync());
    }

    [Theory]
    [InlineData((int)MessageNumber.RequestFailure)]
    [InlineData((int)MessageNumber.RequestSuccess)]
    public async Task Stays_when_it_answers(int answer)
    {
        await using var server = await StartAsync(new SshLimits { KeepAliveInterval = TimeSpan.FromMilliseconds(100), KeepAliveMisses = 1 });
        await using var client = await RawClient.EnterAsync(server.EndPoint, _key);

        for (var i = 0; i < 5; i++)
        {
            await client.ReceiveAsync(MessageNumber.GlobalRequest);
            await client.SendAsync((MessageNumber)answer);
        }
    }

    [Fact]
    public async Task Goes_when_it_does_nothing_for_too_long()
    {
        await using var server = await StartAsync(new SshLimits { IdleTimeout = TimeSpan.FromMilliseconds(400) });
        await using var client = await RawClient.EnterAsync(server.EndPoint, _key);

        Assert.Equal(DisconnectReason.ByApplication, await client.ReceiveDisconnectAsync());
    }

    [Fact]
    public async Task Stays_while_a_channel_is_open()
    {
        await using var server = await StartAsync(new SshLimits { IdleTimeout = TimeSpan.FromMilliseconds(100), KeepAliveInterval = TimeSpan.FromMilliseconds(300) });
        await using var client = await RawClient.EnterAsync(server.EndPoint, _key);

        await client.OpenSessionAsync();

        await client.ReceiveAsync(MessageNumber.GlobalRequest);
    }

    public void Dispose() => _key.Dispose();

    private async Task<TestServer> StartAsync(SshLimits limits)
    {
        var server = await TestServer.StartAsync((_, _) => Task.FromResult(0), options => options with { Limits = limits });
        await File.AppendAllTextAsync(server.AuthorizedKeysFile, RawClient.Line(_key), TestContext.Current.CancellationToken);
        return server;
    }
}
