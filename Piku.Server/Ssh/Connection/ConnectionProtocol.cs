using Piku.Server.Ssh.Transport;
using Piku.Server.Ssh.Wire;

namespace Piku.Server.Ssh.Connection;

/// <summary>The connection protocol (RFC 4254): many channels over one transport.</summary>
internal sealed class ConnectionProtocol(SshTransport transport, ConnectionContext context)
{
    private readonly Lock _gate = new();
    private readonly Slot?[] _slots = new Slot?[ChannelTypes.Table.Values.Sum(type => type.Most(context.Options.Limits))];
    private Channel? _fed; // the last that got data, of which its reader may not know yet
    private int _questions;
    private bool _isEnding;
    private bool _isOver;

    public ConnectionContext Context => context;

    public SshTransport Transport => transport;

    /// <summary>Whether the client may still open sessions; it can give that up for good.</summary>
    public bool AllowsSessions { get; set; } = true;

    /// <summary>Whether no channel is open, or about to be.</summary>
    public bool IsIdle
    {
        get
        {
            lock (_gate)
                return Array.TrueForAll(_slots, slot => slot is null);
        }
    }

    /// <summary>Answers the client until it goes, or has to.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var vigil = new Vigil(this);
        transport.BeforeWait = ShowInput;
        while (true)
        {
            var message = await transport.ReceiveAsync(cancellationToken);
            vigil.Heard();
            Dispatch(message.Span);
        }
    }

    /// <summary>Asks the client for a sign of life. It knows no such request and has to say so (RFC 4254, section 4).</summary>
    public void Ask()
    {
        Interlocked.Increment(ref _questions);
        using var message = new SshWriter(MessageNumber.GlobalRequest);
        message.WriteText("keepalive@openssh.com");
        message.WriteBoolean(true);
        transport.Send(message.Written);
    }

    /// <summary>
    /// Tells all who serve a channel that the server stops, asks those to end that have not in the time for it, and waits,
    /// within bounds, until they have and the client knows.
    /// </summary>
    /// <param name="hurry">Ends the time for it.</param>
    public async Task FinishAsync(CancellationToken hurry)
    {
        lock (_gate)
            _isEnding = true;
        foreach (var channel in Open())
            channel.Stop();
        await Task.WhenAny(Services(), Task.Delay(context.Options.Limits.StopGrace, hurry));
        foreach (var channel in Open())
            channel.Cancel();
        await ServicesAsync();
        var over = Task.WhenAll(Open().Select(channel => channel.Over));
        await Task.WhenAny(over, Task.Delay(context.Options.Limits.Farewell, CancellationToken.None));
    }

    /// <summary>The client has gone: whoever serves a channel is told so.</summary>
    public void Abandon()
    {
        lock (_gate)
            _isOver = true;
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
    public Channel Accept(ChannelOpening opening, AnswerRequest answer, Func<Channel, Task>? service)
    {
        var limits = context.Options.Limits;
        var channel = new Channel(transport, opening, limits, answer);
        using var message = new SshWriter(MessageNumber.ChannelOpenConfirmation);
        message.WriteUInt32(opening.PeerNumber);
        message.WriteUInt32(channel.Number);
        message.WriteUInt32((uint)opening.Type.Window(limits));
        message.WriteUInt32((uint)limits.DataLength);
        lock (_gate)
        {
            if (_isOver)
                throw new OperationCanceledException("the connection has ended");
            _slots[opening.Number] = new(opening.Type, channel);
            transport.Send(message.Written);
            if (_isEnding)
                channel.Stop();
            if (service is not null)
                channel.Serve(() => service(channel));
        }
        return channel;
    }

    /// <summary>See <see cref="ChannelOpening.Refuse"/>.</summary>
    public void Refuse(ChannelOpening opening, OpenFailure reason, string message)
    {
        lock (_gate)
            _slots[opening.Number] = null;
        Refuse(opening.PeerNumber, reason, message);
    }

    private void Refuse(uint peerNumber, OpenFailure reason, string message)
    {
        using var answer = new SshWriter(MessageNumber.ChannelOpenFailure);
        answer.WriteUInt32(peerNumber);
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
            if (!channel.IsOver || _slots[channel.Number]?.Channel != channel)
                return;
            _slots[channel.Number] = null;
        }
        channel.Release();
    }

    private void Dispatch(ReadOnlySpan<byte> message)
    {
        var reader = new SshReader(message);
        var number = reader.ReadMessageNumber();
        if (number != MessageNumber.ChannelData)
            ShowInput();
        switch (number)
        {
            case MessageNumber.ChannelData:
                var fed = Find(ref reader);
                if (fed != _fed)
                    ShowInput();
                _fed = fed;
                fed.Receive(reader.ReadString(), isExtended: false);
                break;
            case MessageNumber.ChannelExtendedData:
                var extended = Find(ref reader);
                reader.ReadUInt32();
                extended.Receive(reader.ReadString(), isExtended: true);
                break;
            case MessageNumber.ChannelWindowAdjust:
                // It may have been on its way when the channel was closed: ignored, as OpenSSH does.
                TryFind(ref reader)?.GrowWindow(reader.ReadUInt32());
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
            case MessageNumber.RequestSuccess or MessageNumber.RequestFailure when _questions > 0:
                Interlocked.Decrement(ref _questions);
                break;
            case MessageNumber.ChannelOpenConfirmation or MessageNumber.ChannelOpenFailure
                or MessageNumber.ChannelSuccess or MessageNumber.ChannelFailure
                or MessageNumber.RequestSuccess or MessageNumber.RequestFailure:
                throw new SshProtocolException("an answer to a question that we did not ask");
            default:
                transport.SendUnimplemented();
                break;
        }
    }

    // Waking a channel's reader costs more than taking a packet, so it is shown data when no more is at hand.
    private void ShowInput()
    {
        _fed?.ShowInput();
        _fed = null;
    }

    // byte, string type, uint32 sender, uint32 window, uint32 maximum packet, the type's own (RFC 4254, section 5.1)
    private void OpenChannel(ref SshReader reader)
    {
        var type = reader.ReadName();
        var (peer, window, maxDataLength) = (reader.ReadUInt32(), reader.ReadUInt32(), reader.ReadUInt32());
        if (!ChannelTypes.Table.TryGetValue(type, out var known))
            Refuse(peer, OpenFailure.UnknownChannelType, "there are no channels of this type");
        else if (maxDataLength == 0)
            Refuse(peer, OpenFailure.AdministrativelyProhibited, "a channel without data has no use");
        else if (_isEnding)
            Refuse(peer, OpenFailure.AdministrativelyProhibited, "the server is stopping");
        else if (Reserve(known) is not { } number)
            Refuse(peer, OpenFailure.ResourceShortage, "too many channels are open on this connection");
        else
            known.Open(new(this, known, number, peer, window, maxDataLength), ref reader);
    }

    // byte, string name, boolean want reply, the request's own (RFC 4254, section 4)
    private void AnswerGlobalRequest(ref SshReader reader)
    {
        var name = reader.ReadName();
        var wantsReply = reader.ReadBoolean();
        var granted = GlobalRequests.Table.TryGetValue(name, out var grant) ? grant(this, ref reader) : null;
        if (wantsReply)
            transport.Send(granted is null ? [(byte)MessageNumber.RequestFailure] : [(byte)MessageNumber.RequestSuccess, .. granted]);
    }

    private Channel Find(ref SshReader reader) => TryFind(ref reader) ?? throw new SshProtocolException("there is no such channel");

    private Channel? TryFind(ref SshReader reader)
    {
        var number = reader.ReadUInt32();
        lock (_gate)
            return number < _slots.Length ? _slots[number]?.Channel : null;
    }

    private uint? Reserve(ChannelType type)
    {
        lock (_gate)
        {
            if (_slots.Count(slot => slot?.Type == type) >= type.Most(context.Options.Limits))
                return null;
            var number = Array.IndexOf(_slots, null);
            _slots[number] = new(type, null);
            return (uint)number;
        }
    }

    private Channel[] Open()
    {
        lock (_gate)
            return [.. _slots.Select(slot => slot?.Channel).OfType<Channel>()];
    }

    private async Task ServicesAsync()
    {
        var services = Services();
        await Task.WhenAny(services, Task.Delay(context.Options.Limits.SessionEnd));
        if (!services.IsCompleted)
            context.Logger.SessionsLinger(context.Id);
    }

    private Task Services() => Task.WhenAll(Open().Select(channel => channel.Service));

    /// <summary>A channel's number that is taken.</summary>
    /// <param name="Channel">Null while it is being opened.</param>
    private sealed record Slot(ChannelType Type, Channel? Channel);
}
