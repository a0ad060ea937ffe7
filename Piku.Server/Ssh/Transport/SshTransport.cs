using System.Net.Sockets;
using System.Text;
using Piku.Server.Ssh.Wire;

namespace Piku.Server.Ssh.Transport;

/// <summary>
/// The transport layer of one connection (RFC 4253): versions, keys, packets. It keeps the layers above from its
/// own messages, and changes keys beneath them whenever either side wants to.
/// </summary>
internal sealed partial class SshTransport : IDisposable
{
    /// <summary>RFC 4253, section 4.2; CR LF included.</summary>
    private const int MaxVersionLine = 255;

    // After authentication; a few packets of bulk data at once.
    private const int ReceiveBuffer = 128 * 1024;

    private readonly SshServerOptions _options;
    private readonly SshLimits _limits;
    private readonly PacketReceiver _receiver;
    private readonly PacketSender _sender;
    private readonly Deadline _rekeyDeadline;
    private string _clientVersion = "";
    private int? _packetsLeft; // null once authenticated

    public SshTransport(Socket socket, SshServerOptions options, ConnectionEnd end)
    {
        _options = options;
        _limits = options.Limits;
        _packetsLeft = _limits.PacketsBeforeAuthentication;
        _receiver = new PacketReceiver(socket, _limits.PacketLengthBeforeAuthentication);
        _sender = new PacketSender(socket, Encoding.ASCII.GetBytes(options.Version + "\r\n"), _limits.SendBuffer);
        _rekeyDeadline = new Deadline(options.Clock, end, new(DisconnectReason.KeyExchangeFailed, "the client does not change keys"));
    }

    /// <summary>Identifies the connection in signatures: the first exchange hash (RFC 4253, section 7.2).</summary>
    public ReadOnlyMemory<byte> SessionId => _sessionId;

    /// <summary>The signature by which this server has proven its host key.</summary>
    public string HostKeyAlgorithm { get; private set; } = "";

    /// <summary>What the client calls itself; printable US-ASCII.</summary>
    public string ClientVersion => _clientVersion;

    /// <summary>Called before the layers above have to wait for their next message.</summary>
    public Action BeforeWait
    {
        get => _receiver.RanDry;
        set => _receiver.RanDry = value;
    }

    /// <summary>Sends what is appended until the farewell.</summary>
    public Task SendLoopAsync(CancellationToken cancellationToken) => _sender.RunAsync(cancellationToken);

    /// <summary>Exchanges versions and the first keys; we say both at once, without waiting.</summary>
    public async Task OpenAsync(CancellationToken cancellationToken)
    {
        BeginKeyExchange();
        _clientVersion = await ReceiveVersionAsync(cancellationToken);
        await ExchangeKeysAsync(await ReceiveKexMessageAsync(MessageNumber.KexInit, cancellationToken), cancellationToken);
    }

    /// <summary>The client has proven who it is: limits for strangers end.</summary>
    public void Trust()
    {
        _packetsLeft = null;
        _receiver.Relax(_limits.PacketLength, ReceiveBuffer);
    }

    /// <summary>The next message for the layers above; valid until the next call.</summary>
    /// <exception cref="ConnectionLostException">The client has gone.</exception>
    /// <exception cref="SshProtocolException">The client broke the protocol or a limit.</exception>
    public async ValueTask<ReadOnlyMemory<byte>> ReceiveAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            // Who asks without listening to the answers must wait, or go if it cannot be helped.
            var uncongested = _sender.UncongestedAsync();
            if (!uncongested.IsCompleted)
                BeforeWait();
            await uncongested.WaitAsync(cancellationToken);
            if (_sender.Held > _limits.SendBuffer)
                throw new SshProtocolException("too many requests during a key exchange");
            var message = await NextAsync(cancellationToken);
            switch (Number(message))
            {
                case MessageNumber.Ignore or MessageNumber.Debug or MessageNumber.Unimplemented or MessageNumber.ExtInfo:
                    continue;
                case MessageNumber.KexInit:
                    await ExchangeKeysAsync(message, cancellationToken);
                    continue;
                case MessageNumber.NewKeys or MessageNumber.KexEcdhInit or MessageNumber.KexEcdhReply:
                    throw new SshProtocolException("a message of the key exchange outside of one");
                default:
                    RekeyIfDue();
                    return message;
            }
        }
    }

    /// <summary>Sends a message; never waits.</summary>
    public void Send(ReadOnlySpan<byte> message)
    {
        _sender.Send(message);
        RekeyIfDue();
    }

    /// <summary>Sends a message that ends in bulk data; false, and nothing sent, while there is no room.</summary>
    public bool TrySend(ReadOnlySpan<byte> head, ReadOnlySpan<byte> data)
    {
        if (!_sender.TrySend(head, data))
            return false;
        RekeyIfDue();
        return true;
    }

    /// <summary>Completes when there may be room for bulk data.</summary>
    public Task RoomAsync() => _sender.RoomAsync();

    /// <summary>Says that the message received last is unknown to us (RFC 4253, section 11.4).</summary>
    public void SendUnimplemented()
    {
        using var answer = new SshWriter(MessageNumber.Unimplemented);
        answer.WriteUInt32(_receiver.Sequence - 1);
        Send(answer.Written);
    }

    /// <summary>Sends the last message, unless there is no reason to give, and lets the loop end.</summary>
    public void Farewell(SshProtocolException? reason)
    {
        if (reason is not null)
        {
            using var message = new SshWriter(MessageNumber.Disconnect);
            message.WriteUInt32((uint)reason.Reason);
            message.WriteText(reason.Message);
            message.WriteText("");
            _sender.SendAtOnce(message.Written);
        }
        _sender.Complete();
    }

    /// <summary>Waits for the client to close its side, and forgets what it still sends.</summary>
    public Task DrainAsync(CancellationToken cancellationToken) => _receiver.DrainAsync(cancellationToken);

    /// <summary>Comes after the send loop has ended.</summary>
    public void Dispose()
    {
        _rekeyDeadline.Dispose();
        _receiver.Dispose();
        _sender.Dispose();
    }

    private static MessageNumber Number(ReadOnlyMemory<byte> message) => (MessageNumber)message.Span[0];

    // RFC 4253, section 4.2; 1.99 is what clients that also speak the first SSH say.
    private async Task<string> ReceiveVersionAsync(CancellationToken cancellationToken)
    {
        var version = await _receiver.ReadLineAsync(MaxVersionLine, cancellationToken);
        return version is not null
            && (version.StartsWith("SSH-2.0-", StringComparison.Ordinal) || version.StartsWith("SSH-1.99-", StringComparison.Ordinal))
            ? version
            : throw new SshProtocolException(DisconnectReason.ProtocolVersionNotSupported, "the client does not speak SSH 2.0");
    }

    private async ValueTask<ReadOnlyMemory<byte>> NextAsync(CancellationToken cancellationToken)
    {
        if (--_packetsLeft < 0)
            throw new SshProtocolException("too many packets before authentication");
        var message = await _receiver.ReceiveAsync(cancellationToken);
        return Number(message) == MessageNumber.Disconnect
            ? throw new ConnectionLostException("the client has disconnected")
            : message;
    }
}
