using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using Piku.Server.Ssh.Transport;
using Piku.Server.Ssh.Wire;

namespace Piku.Server.Ssh.Connection;

/// <summary>
/// One channel of a connection (RFC 4254, section 5): data both ways, each within its window, and the way to its
/// end. Messages come in from the connection's receive loop; whoever serves the channel reads and writes the streams.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "A token source without a timer or a wait handle holds nothing to dispose of.")]
internal sealed partial class Channel
{
    private const uint StandardError = 1;
    private const int InputSegment = 64 * 1024;

    private readonly Lock _gate = new();
    private readonly SshTransport _transport;
    private readonly uint _peer;
    private readonly AnswerRequest _answer;
    private readonly CancellationTokenSource _gone = new();
    private readonly CancellationTokenSource _stopping = new();

    // The window bounds what it holds, so that writing to it never waits.
    private readonly Pipe _input = new(new PipeOptions(
        pauseWriterThreshold: 0, resumeWriterThreshold: 0, minimumSegmentSize: InputSegment, useSynchronizationContext: false));
    private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _eofReceived;
    private bool _eofSent;
    private bool _closeReceived;
    private bool _closeSent;
    private bool _isServed;

    public Channel(SshTransport transport, ChannelOpening opening, SshLimits limits, AnswerRequest answer)
    {
        _transport = transport;
        _peer = opening.PeerNumber;
        _maxDataLength = limits.DataLength;
        _receiveWindow = new ReceiveWindow(opening.Type.Window(limits));
        _sendWindow = new SendWindow(opening.Window, Math.Min(opening.MaxDataLength, (uint)limits.SendBuffer));
        _answer = answer;
        Number = opening.Number;
        Input = new ChannelInput(this, _input.Reader);
        Output = new ChannelOutput(this, null);
        Error = new ChannelOutput(this, StandardError);
    }

    /// <summary>By which the client calls it.</summary>
    public uint Number { get; }

    public Stream Input { get; }

    public Stream Output { get; }

    public Stream Error { get; }

    /// <summary>Cancelled when the client has closed the channel, or the connection ends.</summary>
    public CancellationToken Gone => _gone.Token;

    /// <summary>Cancelled when the server begins to stop.</summary>
    public CancellationToken Stopping => _stopping.Token;

    /// <summary>Completed when nobody serves the channel.</summary>
    public Task Service { get; private set; } = Task.CompletedTask;

    /// <summary>Whether both sides have closed it and nobody serves it any more, so that its number is free.</summary>
    public bool IsOver
    {
        get
        {
            lock (_gate)
                return _closeSent && _closeReceived && !_isServed;
        }
    }

    /// <summary>Completed when the channel has been released.</summary>
    public Task Over => _over.Task;

    /// <summary>Lets a service run, which ends with <see cref="Close"/>.</summary>
    public void Serve(Func<Task> service)
    {
        _isServed = true;
        Service = Task.Run(service);
    }

    public void ReceiveEof()
    {
        _eofReceived = true;
        _input.Writer.Complete();
    }

    public void Answer(ref SshReader reader)
    {
        var type = reader.ReadName();
        var wantsReply = reader.ReadBoolean();
        var answer = _answer(type, ref reader);
        if (wantsReply)
            SendSimple(answer.IsAccepted ? MessageNumber.ChannelSuccess : MessageNumber.ChannelFailure);
        answer.Then?.Invoke();
    }

    public void ReceiveClose()
    {
        lock (_gate)
            _closeReceived = true;
        SendClose();
        Abandon();
    }

    /// <summary>Tells whoever serves the channel that the server stops.</summary>
    public void Stop() => _ = _stopping.CancelAsync();

    /// <summary>Asks whoever serves the channel to end; the streams still work.</summary>
    public void Cancel() => _ = _gone.CancelAsync();

    /// <summary>The client has gone: reading and writing fail from now on.</summary>
    public void Abandon()
    {
        lock (_gate)
        {
            _closeSent = _closeReceived = true;
            WakeWriters();
        }
        _input.Writer.Complete(new ChannelClosedException("the client has gone")); // unless it is complete already
        Cancel();
    }

    /// <summary>Sends a request that wants no reply (RFC 4254, section 5.4), unless the channel is closed.</summary>
    /// <param name="content">What follows the type.</param>
    public void Request(string type, ReadOnlySpan<byte> content)
    {
        using var request = new SshWriter(MessageNumber.ChannelRequest);
        request.WriteUInt32(_peer);
        request.WriteText(type);
        request.WriteBoolean(false);
        request.WriteBytes(content);
        lock (_gate)
        {
            if (!_closeSent)
                _transport.Send(request.Written);
        }
    }

    /// <summary>No more data comes from us; what the client sends is still read (RFC 4254, section 5.3).</summary>
    public void SendEof()
    {
        lock (_gate)
        {
            if (!_eofSent)
                SendSimple(MessageNumber.ChannelEof);
            _eofSent = true;
        }
    }

    /// <summary>The service is done: no more data, and no more channel once the client has closed it too.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _isServed = false;
            SendEof();
            SendClose();
        }
    }

    /// <summary>Gives back what an abandoned input still holds; comes when the channel is over.</summary>
    public void Release()
    {
        _input.Writer.Complete();
        _input.Reader.Complete();
        _over.SetResult();
    }

    private void SendClose()
    {
        lock (_gate)
        {
            SendSimple(MessageNumber.ChannelClose);
            _closeSent = true;
            WakeWriters();
        }
    }

    private void SendSimple(MessageNumber number)
    {
        Span<byte> message = stackalloc byte[1 + sizeof(uint)];
        message[0] = (byte)number;
        BinaryPrimitives.WriteUInt32BigEndian(message[1..], _peer);
        lock (_gate)
        {
            if (!_closeSent)
                _transport.Send(message);
        }
    }
}
