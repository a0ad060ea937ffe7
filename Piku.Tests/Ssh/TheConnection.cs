using System.Buffers.Binary;
using System.Text;
using Microsoft.Extensions.Logging;
using Piku.Server.Ssh;
using Piku.Server.Ssh.Crypto;
using Piku.Server.Ssh.Wire;

namespace Piku.Tests.Ssh;

/// <summary>The connection protocol against clients with a key and bad manners (RFC 4254).</summary>
[NeedsMachine]
public sealed class TheConnection : IAsyncLifetime
{
    private readonly Ed25519 _key = RawClient.NewKey();
    private readonly TaskCompletionSource _cancelled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TestServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync(HandleAsync);
        await File.AppendAllTextAsync(_server.AuthorizedKeysFile, RawClient.Line(_key), TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        Assert.Equal("still serves", (await _server.SshAsync("echo still serves")).Output);
        await _server.DisposeAsync();
        _key.Dispose();
        Assert.Empty(_server.Log.LinesAt(LogLevel.Error));
    }

    [Fact]
    public async Task Ends_when_more_data_comes_than_the_window_allows()
    {
        await using var client = await RawClient.EnterAsync(_server.EndPoint, _key);
        var channel = await client.OpenSessionAsync();
        await client.ExecAsync(channel, "wait");
        var limits = _server.Options.Limits;

        for (var sent = 0; sent <= limits.Window; sent += limits.DataLength)
            await client.SendAsync(MessageNumber.ChannelData, fields => fields.UInt32(channel).String(new byte[limits.DataLength]));

        Assert.Equal(DisconnectReason.ProtocolError, await client.ReceiveDisconnectAsync());
    }

    [Fact]
    public async Task Ends_when_a_message_holds_more_data_than_the_channel_allows()
    {
        await using var client = await RawClient.EnterAsync(_server.EndPoint, _key);
        var channel = await client.OpenSessionAsync();

        await client.SendAsync(
            MessageNumber.ChannelData, fields => fields.UInt32(channel).String(new byte[_server.Options.Limits.DataLength + 1]));

        Assert.Equal(DisconnectReason.ProtocolError, await client.ReceiveDisconnectAsync());
    }

    [Fact]
    public async Task Ends_when_the_clients_window_overflows()
    {
        await using var client = await RawClient.EnterAsync(_server.EndPoint, _key);
        var channel = await client.OpenSessionAsync(window: 1);

        await client.SendAsync(MessageNumber.ChannelWindowAdjust, fields => fields.UInt32(channel).UInt32(uint.MaxValue));

        Assert.Equal(DisconnectReason.ProtocolError, await client.ReceiveDisconnectAsync());
    }

    [Theory]
    [InlineData((int)MessageNumber.ChannelData)]
    [InlineData((int)MessageNumber.ChannelClose)]
    [InlineData((int)MessageNumber.ChannelEof)]
    [InlineData((int)MessageNumber.ChannelRequest)]
    public async Task Ends_when_a_channel_does_not_exist(int number)
    {
        await using var client = await RawClient.EnterAsync(_server.EndPoint, _key);

        await client.SendAsync((MessageNumber)number, fields => fields.UInt32(5).UInt32(0));

        Assert.Equal(DisconnectReason.ProtocolError, await client.ReceiveDisconnectAsync());
    }

    [Fact]
    public async Task Ignores_a_window_adjustment_for_a_channel_that_is_closed_both_ways()
    {
        await using var client = await RawClient.EnterAsync(_server.EndPoint, _key);
        var channel = await client.OpenSessionAsync();
        await client.ExecAsync(channel, "echo first");
        foreach (var expected in new[] { MessageNumber.ChannelData, MessageNumber.ChannelRequest, MessageNumber.ChannelEof, MessageNumber.ChannelClose })
            await client.ReceiveAsync(expected);
        await client.SendAsync(MessageNumber.ChannelClose, fields => fields.UInt32(channel));

        await client.SendAsync(MessageNumber.ChannelWindowAdjust, fields => fields.UInt32(channel).UInt32(1000));

        var next = await client.OpenSessionAsync();
        await client.ExecAsync(next, "echo second");
        Assert.Equal("second", Data(await client.ReceiveAsync(MessageNumber.ChannelData)));
    }

    [Theory]
    [InlineData((int)MessageNumber.ChannelSuccess)]
    [InlineData((int)MessageNumber.RequestFailure)]
    [InlineData((int)MessageNumber.ChannelOpenConfirmation)]
    public async Task Ends_when_an_answer_comes_that_nobody_asked_for(int number)
    {
        await using var client = await RawClient.EnterAsync(_server.EndPoint, _key);

        await client.SendAsync((MessageNumber)number, fields => fields.UInt32(0));

        Assert.Equal(DisconnectReason.ProtocolError, await client.ReceiveDisconnectAsync());
    }

    [Fact]
    public async Task Ends_when_a_message_is_cut_short()
    {
        await using var client = await RawClient.EnterAsync(_server.EndPoint, _key);

        await client.SendAsync(MessageNumber.ChannelOpen, fields => fields.UInt32(1000));

        Assert.Equal(DisconnectReason.ProtocolError, await client.ReceiveDisconnectAsync());
    }

    [Fact]
    public async Task Never_sends_more_than_the_clients_window()
    {
        await using var client = await RawClient.EnterAsync(_server.EndPoint, _key);
        var channel = await client.OpenSessionAsync(window: 3);
        await client.ExecAsync(channel, "echo hello");

        Assert.Equal("hel", Data(await client.ReceiveAsync(MessageNumber.ChannelData)));
        await client.SendAsync(MessageNumber.ChannelWindowAdjust, fields => fields.UInt32(channel).UInt32(0));
        await client.SendAsync(MessageNumber.ChannelWindowAdjust, fields => fields.UInt32(channel).UInt32(1));
        Assert.Equal("l", Data(await client.ReceiveAsync(MessageNumber.ChannelData)));
        await client.SendAsync(MessageNumber.ChannelWindowAdjust, fields => fields.UInt32(channel).UInt32(1));
        Assert.Equal("o", Data(await client.ReceiveAsync(MessageNumber.ChannelData)));
        await client.ReceiveAsync(MessageNumber.ChannelRequest);
        await client.ReceiveAsync(MessageNumber.ChannelEof);
        await client.ReceiveAsync(MessageNumber.ChannelClose);
    }

    [Fact]
    public async Task Sends_byte_by_byte_to_a_client_that_wants_it_so()
    {
        await using var client = await RawClient.EnterAsync(_server.EndPoint, _key);
        var channel = await client.OpenSessionAsync(maxPacket: 1);

        await client.ExecAsync(channel, "echo abc");

        foreach (var letter in "abc")
            Assert.Equal($"{letter}", Data(await client.ReceiveAsync(MessageNumber.ChannelData)));
    }

    [Fact]
    public async Task Refuses_channels_beyond_the_limit_and_serves_on()
    {
        await using var client = await RawClient.EnterAsync(_server.EndPoint, _key);
        var limit = _server.Options.Limits.SessionsPerConnection;
        for (var i = 0; i < limit; i++)
            await client.OpenSessionAsync((uint)i);

        for (var i = limit; i < 1000; i++)
        {
            await client.SendAsync(MessageNumber.ChannelOpen, fields => fields.Text("session").UInt32((uint)i).UInt32(1000).UInt32(1000));
            var failure = await client.ReceiveAsync(MessageNumber.ChannelOpenFailure);
            Assert.Equal(4u, BinaryPrimitives.ReadUInt32BigEndian(failure.AsSpan(5)));
        }
        await client.ExecAsync(0, "echo x");
        Assert.Equal("x", Data(await client.ReceiveAsync(MessageNumber.ChannelData)));
    }

    [Fact]
    public async Task Refuses_a_channel_without_data_and_takes_one_with_more_than_there_is()
    {
        await using var client = await RawClient.EnterAsync(_server.EndPoint, _key);
        await client.SendAsync(MessageNumber.ChannelOpen, fields => fields.Text("session").UInt32(0).UInt32(1000).UInt32(0));
        await client.ReceiveAsync(MessageNumber.ChannelOpenFailure);

        await client.ExecAsync(await client.OpenSessionAsync(window: uint.MaxValue, maxPacket: uint.MaxValue), "echo x");

        Assert.Equal("x", Data(await client.ReceiveAsync(MessageNumber.ChannelData)));
    }

    [Fact]
    public async Task Lets_nobody_become_another_once_they_are_in()
    {
        using var other = RawClient.NewKey();
        await using var client = await RawClient.EnterAsync(_server.EndPoint, _key);

        await client.SendAsync(RawClient.SignedRequest(other, other, client.SessionId, "root"));
        await client.RequestServiceAsync("ssh-userauth");

        await client.ReceiveAsync(MessageNumber.Unimplemented); // to the second; the first is ignored (RFC 4252, section 5.1)
        await client.ExecAsync(await client.OpenSessionAsync(), "who");
        Assert.Equal("alice raw", Data(await client.ReceiveAsync(MessageNumber.ChannelData)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Proves_its_own_host_keys_and_no_other(bool isOurs)
    {
        var key = isOurs ? _server.Options.HostKeys[0].PublicKey : RawClient.Blob(_key);
        await using var client = await RawClient.EnterAsync(_server.EndPoint, _key);

        await client.SendAsync(MessageNumber.GlobalRequest, fields => fields.Text("hostkeys-prove-00@openssh.com").Boolean(true).String(key));

        await client.ReceiveAsync(isOurs ? MessageNumber.RequestSuccess : MessageNumber.RequestFailure);
    }

    [Fact]
    public async Task Gives_channel_numbers_back()
    {
        await using var client = await RawClient.EnterAsync(_server.EndPoint, _key);
        for (var i = 0; i < 100; i++)
        {
            var channel = await client.OpenSessionAsync();
            await client.ExecAsync(channel, "echo x");
            while (RawClient.Number(await client.ReceiveAsync()) != MessageNumber.ChannelClose)
                continue;
            await client.SendAsync(MessageNumber.ChannelClose, fields => fields.UInt32(channel));
        }
    }

    [Theory]
    [InlineData("x11", 3)]
    [InlineData("", 3)]
    public async Task Refuses_channels_of_other_types(string type, uint reason)
    {
        await using var client = await RawClient.EnterAsync(_server.EndPoint, _key);

        await client.SendAsync(MessageNumber.ChannelOpen, fields => fields.Text(type).UInt32(7).UInt32(1000).UInt32(1000).Text("more"));

        var failure = await client.ReceiveAsync(MessageNumber.ChannelOpenFailure);
        Assert.Equal((7u, reason), (BinaryPrimitives.ReadUInt32BigEndian(failure.AsSpan(1)), BinaryPrimitives.ReadUInt32BigEndian(failure.AsSpan(5))));
    }

    [Fact]
    public async Task Opens_no_session_for_a_client_that_wanted_no_more()
    {
        await using var client = await RawClient.EnterAsync(_server.EndPoint, _key);
        await client.SendAsync(MessageNumber.GlobalRequest, fields => fields.Text("no-more-sessions@openssh.com").Boolean(true));
        await client.ReceiveAsync(MessageNumber.RequestSuccess);

        await client.SendAsync(MessageNumber.ChannelOpen, fields => fields.Text("session").UInt32(0).UInt32(1000).UInt32(1000));

        await client.ReceiveAsync(MessageNumber.ChannelOpenFailure);
    }

    [Theory]
    [InlineData("keepalive@openssh.com")]
    [InlineData("tcpip-forward")]
    public async Task Answers_global_requests_that_it_does_not_know(string name)
    {
        await using var client = await RawClient.EnterAsync(_server.EndPoint, _key);

        await client.SendAsync(MessageNumber.GlobalRequest, fields => fields.Text(name).Boolean(true));

        await client.ReceiveAsync(MessageNumber.RequestFailure);
    }

    [Theory]
    [InlineData("xon-xoff")]
    [InlineData("break")]
    [InlineData("subsystem")]
    [InlineData("auth-agent-req@openssh.com")]
    public async Task Refuses_session_requests_that_it_does_not_know(string type)
    {
        await using var client = await RawClient.EnterAsync(_server.EndPoint, _key);
        var channel = await client.OpenSessionAsync();

        await client.RequestAsync(channel, type, wantsReply: true, fields => fields.Text("x"));

        await client.ReceiveAsync(MessageNumber.ChannelFailure);
    }

    [Fact]
    public async Task Runs_one_command_on_a_session()
    {
        await using var client = await RawClient.EnterAsync(_server.EndPoint, _key);
        var channel = await client.OpenSessionAsync();
        await client.ExecAsync(channel, "wait", wantsReply: true);
        await client.ReceiveAsync(MessageNumber.ChannelSuccess);

        await client.ExecAsync(channel, "echo second", wantsReply: true);

        await client.ReceiveAsync(MessageNumber.ChannelFailure);
    }

    [Fact]
    public async Task Tells_the_session_of_a_command_that_is_no_text()
    {
        await using var client = await RawClient.EnterAsync(_server.EndPoint, _key);
        var channel = await client.OpenSessionAsync();

        await client.RequestAsync(channel, "exec", wantsReply: true, fields => fields.String([(byte)'a', 0xFF, (byte)'b']));

        await client.ReceiveAsync(MessageNumber.ChannelSuccess);
        Assert.Equal("no text", Data(await client.ReceiveAsync(MessageNumber.ChannelData)));
    }

    [Fact]
    public async Task Passes_signals_on()
    {
        await using var client = await RawClient.EnterAsync(_server.EndPoint, _key);
        var channel = await client.OpenSessionAsync();
        await client.ExecAsync(channel, "signal");

        await client.RequestAsync(channel, "signal", more: fields => fields.Text("TERM"));

        Assert.Equal("TERM", Data(await client.ReceiveAsync(MessageNumber.ChannelData)));
    }

    [Fact]
    public async Task Cancels_the_session_when_the_client_closes_the_channel()
    {
        await using var client = await RawClient.EnterAsync(_server.EndPoint, _key);
        var channel = await client.OpenSessionAsync();
        await client.ExecAsync(channel, "wait");

        await client.SendAsync(MessageNumber.ChannelClose, fields => fields.UInt32(channel));

        await _cancelled.Task.WaitAsync(Wait.Limit, TestContext.Current.CancellationToken);
        await client.ReceiveAsync(MessageNumber.ChannelClose);
    }

    [Fact]
    public async Task Gives_the_window_back_as_the_session_reads()
    {
        await using var client = await RawClient.EnterAsync(_server.EndPoint, _key);
        var channel = await client.OpenSessionAsync();
        await client.ExecAsync(channel, "count");
        var limits = _server.Options.Limits;
        long left = limits.Window;
        for (var sent = 0; sent < 5 * limits.Window; sent += limits.DataLength)
        {
            while (left < limits.DataLength)
                left += BinaryPrimitives.ReadUInt32BigEndian((await client.ReceiveAsync(MessageNumber.ChannelWindowAdjust)).AsSpan(5));
            await client.SendAsync(MessageNumber.ChannelData, fields => fields.UInt32(channel).String(new byte[limits.DataLength]));
            left -= limits.DataLength;
        }
        await client.SendAsync(MessageNumber.ChannelEof, fields => fields.UInt32(channel));

        var message = await client.ReceiveAsync();
        while (RawClient.Number(message) == MessageNumber.ChannelWindowAdjust)
            message = await client.ReceiveAsync();
        Assert.Equal($"{5 * limits.Window}", Data(message!));
    }

    [Fact]
    public async Task Waits_with_answers_that_a_client_does_not_take_and_loses_none()
    {
        const int requests = 300_000;
        await using var client = await RawClient.EnterAsync(_server.EndPoint, _key);
        var asking = Task.Run(async () =>
        {
            for (var i = 0; i < requests; i++)
                await client.SendAsync(MessageNumber.GlobalRequest, fields => fields.Text("keepalive@openssh.com").Boolean(true));
        }, TestContext.Current.CancellationToken);
        await Task.WhenAny(asking, Task.Delay(500, TestContext.Current.CancellationToken));

        for (var i = 0; i < requests; i++)
            await client.ReceiveAsync(MessageNumber.RequestFailure);
        await asking;
    }

    private static string Data(byte[] message)
    {
        Assert.Equal(MessageNumber.ChannelData, RawClient.Number(message));
        return Encoding.UTF8.GetString(message.AsSpan(9));
    }

    private async Task<int> HandleAsync(SshSession session, CancellationToken cancellationToken)
    {
        switch (session.CommandIsReadable ? session.Command!.Split(' ', 2) : ["echo", "no text"])
        {
            case ["echo", var text]:
                await session.Output.WriteAsync(Encoding.UTF8.GetBytes(text), cancellationToken);
                break;
            case ["who"]:
                await session.Output.WriteAsync(Encoding.UTF8.GetBytes($"{session.User} {session.Key.Name}"), cancellationToken);
                break;
            case ["signal"]:
                await session.Output.WriteAsync(Encoding.UTF8.GetBytes(await session.Signals.ReadAsync(cancellationToken)), cancellationToken);
                break;
            case ["count"]:
                var buffer = new byte[10_000];
                var count = 0L;
                for (int read; (read = await session.Input.ReadAsync(buffer, cancellationToken)) > 0;)
                    count += read;
                await session.Output.WriteAsync(Encoding.UTF8.GetBytes($"{count}"), cancellationToken);
                break;
            case ["wait"]:
                await using (cancellationToken.Register(_cancelled.SetResult))
                    await Task.Delay(Timeout.Infinite, cancellationToken);
                break;
        }
        return 0;
    }
}
