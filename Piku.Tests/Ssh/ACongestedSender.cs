using System.Net.Sockets;
using Piku.Server.Ssh.Transport;
using Piku.Server.Ssh.Wire;

namespace Piku.Tests.Ssh;

/// <summary>A client that asks without taking the answers has to wait; but not for what only it can end.</summary>
public sealed class ACongestedSender : IDisposable
{
    private const int Capacity = 1000;

    private static readonly byte[] Answer = [(byte)MessageNumber.RequestFailure];

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly PacketSender _sender;

    public ACongestedSender() => _sender = new(_socket, ReadOnlyMemory<byte>.Empty, Capacity);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void Does_not_hold_up_who_takes_the_answers() => Assert.True(_sender.UncongestedAsync().IsCompletedSuccessfully);

    [Fact]
    public async Task Lets_the_client_go_on_when_keys_are_to_change()
    {
        Congest();
        var waiting = _sender.UncongestedAsync();
        Assert.False(waiting.IsCompleted);

        _sender.BeginKeyExchange([(byte)MessageNumber.KexInit]);

        await waiting.WaitAsync(Wait.Limit, Cancel);
        Assert.True(_sender.UncongestedAsync().IsCompletedSuccessfully);
        Assert.False(_sender.TrySend(Answer, []));
        Assert.False(_sender.RoomAsync().IsCompleted);
    }

    public void Dispose()
    {
        _sender.Dispose();
        _socket.Dispose();
    }

    private void Congest()
    {
        for (var sent = 0; sent <= 2 * Capacity; sent += Answer.Length + sizeof(uint))
            _sender.Send(Answer);
    }
}
