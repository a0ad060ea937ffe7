using Piku.Server.Ssh.Transport;
using Piku.Server.Ssh.Wire;

namespace Piku.Server.Ssh.Connection;

/// <summary>The connection protocol (RFC 4254): many channels over one transport.</summary>
internal sealed class ConnectionProtocol(SshTransport transport, ConnectionContext context)
{
    private readonly Lock _gate = new();
    private readonly Channel?[] _channels = new Channel?[context.Options.Limits.ChannelsPerConnection];

    public ConnectionContext Context => context;

    /// <summary>Whether the client may still open sessions; it can give that up for good.</summary>
    public bool AllowsSessions { get; set; } = true;

    /// <summary>Answers the client until it goes, or has to.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
            Dispatch((await transport.ReceiveAsync(cancellationToken)).Span);
    }

    /// <summary>Asks all sessions to end, and waits, within bounds, until they have and the client knows.</summary>
    public async Task FinishAsync()
    {
        AllowsSessions = false;
        foreach (var channel in Open())
            channel.Cancel();
        await ServicesAsync();
        var over = Task.WhenAll(Open().Select(channel => channel.Over));
        await Task.WhenAny(over, Task.Delay(context.Options.Limits.Farewell));
    }

    /// <summary>The client has gone: whoever serves a channel is told so.</summary>
    public void Abandon()
    {
        foreach (var channel in Open())
            channel.Abandon();
    }

    /// <summary>Waits, within bounds, for those who still serve a channel.</summary>
    public async Task EndAsync()
    {
        await ServicesAsync();
        foreach (var channel in Open())
            Release(channel);
    }

    /// <summary>See <see cref="ChannelOpening.Accept"/>.</summary>
    public Channel Accept(ChannelOpening opening, AnswerRequest answer)
    {
        var limits = context.Options.Limits;
        Channel channel;
        lock (_gate)
        {
            var number = Array.IndexOf(_channels, null);
            channel = new Channel(transport, opening, (uint)number, limits, answer);
            _channels[number] = channel;
        }
        using var message = new SshWriter(MessageNumber.ChannelOpenConfirmation);
        message.WriteUInt32(opening.PeerNumber);
        message.WriteUInt32(channel.Number);
        message.WriteUInt32((uint)limits.Window);
        message.WriteUInt32((uint)limits.DataLength);
        transport.Send(message.Written);
        return channel;
    }

    /// <summary>See <see cref="ChannelOpening.Refuse"/>.</summary>
    public void Refuse(ChannelOpening opening, OpenFailure reason, string message)
    {
        using var answer = new SshWriter(MessageNumber.ChannelOpenFailure);
        answer.WriteUInt32(opening.PeerNumber);
        answer.WriteUInt32((uint)reason);
        answer.WriteText(message);
        answer.WriteText("");
        transport.Send(answer.Written);
    }

    /// <summary>Frees a channel's number once it is over.</summary>
    public void Release(Channel channel)
    {
        lock (_gate)
        {
            if (!channel.IsOver || _channels[channel.Number] != channel)
                return;
            _channels[channel.Number] = null;
        }
        channel.Release();
    }

    private void Dispatch(ReadOnlySpan<byte> message)
    {
        var reader = new SshReader(message);
        switch (reader.ReadMessageNumber())
        {
            case MessageNumber.ChannelData:
                Find(ref reader).Receive(reader.ReadString(), isExtended: false);
                break;
            case MessageNumber.ChannelExtendedData:
                var extended = Find(ref reader);
                reader.ReadUInt32();
                extended.Receive(reader.ReadString(), isExtended: true);
                break;
            case MessageNumber.ChannelWindowAdjust:
                Find(ref reader).GrowWindow(reader.ReadUInt32());
                break;
            case MessageNumber.ChannelEof:
                Find(ref reader).ReceiveEof();
                break;
            case MessageNumber.ChannelClose:
                var closed = Find(ref reader);
                closed.ReceiveClose();
                Release(closed);
                break;
            case MessageNumber.ChannelRequest:
                Find(ref reader).Answer(ref reader);
                break;
            case MessageNumber.ChannelOpen:
                OpenChannel(ref reader);
                break;
            case MessageNumber.GlobalRequest:
                AnswerGlobalRequest(ref reader);
                break;
            case MessageNumber.UserAuthRequest:
                break; // ignored after success (RFC 4252, section 5.1)
            case MessageNumber.ChannelOpenConfirmation or MessageNumber.ChannelOpenFailure
                or MessageNumber.ChannelSuccess or MessageNumber.ChannelFailure
                or MessageNumber.RequestSuccess or MessageNumber.RequestFailure:
                throw new SshProtocolException("an answer to a question that we did not ask");
            default:
                transport.SendUnimplemented();
                break;
        }
    }

    // byte, string type, uint32 sender, uint32 window, uint32 maximum packet, the type's own (RFC 4254, section 5.1)
    private void OpenChannel(ref SshReader reader)
    {
        var type = reader.ReadName();
        var opening = new ChannelOpening(this, reader.ReadUInt32(), reader.ReadUInt32(), reader.ReadUInt32());
        if (!ChannelTypes.Table.TryGetValue(type, out var open))
            opening.Refuse(OpenFailure.UnknownChannelType, "there are no channels of this type");
        else if (opening.MaxDataLength == 0)
            opening.Refuse(OpenFailure.AdministrativelyProhibited, "a channel without data has no use");
        else if (IsFull())
            opening.Refuse(OpenFailure.ResourceShortage, "too many channels are open on this connection");
        else
            open(opening, ref reader);
    }

    // byte, string name, boolean want reply, the request's own (RFC 4254, section 4)
    private void AnswerGlobalRequest(ref SshReader reader)
    {
        var name = reader.ReadName();
        var wantsReply = reader.ReadBoolean();
        var isGranted = GlobalRequests.Table.TryGetValue(name, out var grant) && grant(this, ref reader);
        if (wantsReply)
            transport.Send([(byte)(isGranted ? MessageNumber.RequestSuccess : MessageNumber.RequestFailure)]);
    }

    private Channel Find(ref SshReader reader)
    {
        var number = reader.ReadUInt32();
        lock (_gate)
        {
            return number < _channels.Length && _channels[number] is { } channel
                ? channel
                : throw new SshProtocolException("there is no such channel");
        }
    }

    private bool IsFull()
    {
        lock (_gate)
            return !_channels.Contains(null);
    }

    private Channel[] Open()
    {
        lock (_gate)
            return [.. _channels.OfType<Channel>()];
    }

    private async Task ServicesAsync()
    {
        var services = Task.WhenAll(Open().Select(channel => channel.Service));
        await Task.WhenAny(services, Task.Delay(context.Options.Limits.SessionEnd));
        if (!services.IsCompleted)
            context.Logger.SessionsLinger(context.Id);
    }
}
