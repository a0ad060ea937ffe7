using System.Buffers;
using System.Buffers.Binary;
using Piku.Server.Ssh.Wire;

namespace Piku.Server.Ssh.Connection;

/// <summary>Data both ways, each within its window (RFC 4254, section 5.2).</summary>
internal sealed partial class Channel
{
    private readonly int _maxDataLength;
    private readonly ReceiveWindow _receiveWindow;
    private readonly SendWindow _sendWindow;
    private TaskCompletionSource? _windowGrew;
    private int _hidden; // bytes in the input that its reader has not been shown

    /// <summary>
    /// Takes data into the input, for <see cref="ShowInput"/> to show; there is no input for extended data, which a
    /// client has no use for.
    /// </summary>
    public void Receive(ReadOnlySpan<byte> data, bool isExtended)
    {
        if (data.Length > _maxDataLength)
            throw new SshProtocolException("more data in a message than the channel allows");
        lock (_gate)
        {
            _receiveWindow.Take(data.Length);
            if (_eofReceived || _closeSent)
                return;
        }
        if (isExtended)
        {
            Consumed(data.Length);
            return;
        }
        _input.Writer.Write(data);
        _hidden += data.Length;
        if (_hidden >= InputSegment)
            ShowInput();
    }

    /// <summary>Lets the input's reader have what it has not been shown. Belongs to the receive loop, as <see cref="Receive"/> does.</summary>
    public void ShowInput()
    {
        if (_hidden == 0)
            return;
        _hidden = 0;
        var flush = _input.Writer.FlushAsync();
        if (!flush.IsCompletedSuccessfully)
            throw new InvalidOperationException("a pipe without a threshold has none to wait for");
        flush.GetAwaiter().GetResult();
    }

    public void GrowWindow(uint by)
    {
        lock (_gate)
        {
            _sendWindow.Grow(by);
            WakeWriters();
        }
    }

    /// <summary>The input's reader has taken data.</summary>
    public void Consumed(int length)
    {
        lock (_gate)
        {
            var given = _receiveWindow.Consume(length);
            if (given == 0 || _closeSent || _eofReceived)
                return;
            using var message = new SshWriter(MessageNumber.ChannelWindowAdjust);
            message.WriteUInt32(_peer);
            message.WriteUInt32((uint)given);
            _transport.Send(message.Written);
        }
    }

    /// <summary>Sends data, as much at a time as the client's window and the connection take.</summary>
    /// <exception cref="IOException">The channel is closed, or the client has gone.</exception>
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> data, uint? dataType, CancellationToken cancellationToken)
    {
        while (!data.IsEmpty)
        {
            var sent = TrySend(data.Span, dataType, out var wait);
            if (sent == 0)
                await wait.WaitAsync(cancellationToken);
            data = data[sent..];
        }
    }

    private int TrySend(ReadOnlySpan<byte> data, uint? dataType, out Task wait)
    {
        wait = Task.CompletedTask;
        lock (_gate)
        {
            if (_closeSent)
                throw new ChannelClosedException("the client has closed the channel");
            var length = _sendWindow.Allows(data.Length);
            if (length == 0)
            {
                _windowGrew ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                wait = _windowGrew.Task;
                return 0;
            }
            Span<byte> head = stackalloc byte[13];
            if (_transport.TrySend(WriteHead(head, dataType, length), data[..length]))
            {
                _sendWindow.Take(length);
                return length;
            }
            wait = _transport.RoomAsync();
            return 0;
        }
    }

    // byte type, uint32 recipient, [uint32 data type,] string data (RFC 4254, section 5.2)
    private ReadOnlySpan<byte> WriteHead(Span<byte> head, uint? dataType, int length)
    {
        head[0] = (byte)(dataType is null ? MessageNumber.ChannelData : MessageNumber.ChannelExtendedData);
        BinaryPrimitives.WriteUInt32BigEndian(head[1..], _peer);
        var end = 5;
        if (dataType is { } type)
        {
            BinaryPrimitives.WriteUInt32BigEndian(head[end..], type);
            end += sizeof(uint);
        }
        BinaryPrimitives.WriteInt32BigEndian(head[end..], length);
        return head[..(end + sizeof(uint))];
    }

    private void WakeWriters()
    {
        _windowGrew?.SetResult();
        _windowGrew = null;
    }
}
