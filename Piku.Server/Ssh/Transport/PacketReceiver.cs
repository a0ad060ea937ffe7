using System.Buffers;
using System.Net.Sockets;
using System.Text;
using Piku.Server.Ssh.Crypto;
using Piku.Server.Ssh.Wire;

namespace Piku.Server.Ssh.Transport;

/// <summary>
/// Takes packets from the socket and opens them in place (RFC 4253, section 6). While nothing is under way it
/// holds no buffer, so that an idle connection costs next to nothing.
/// </summary>
internal sealed class PacketReceiver(Socket socket, int maxPacketLength) : IDisposable
{
    // A packet of the least length is 16 bytes, or a block (RFC 4253, section 6).
    private const int MinPadding = 4, HeadLength = sizeof(uint) + 1, FirstBuffer = 8 * 1024;

    /// <summary>What a read brings in the midst of a transfer: half of OpenSSH's largest packet of data.</summary>
    private const int Bulk = 16 * 1024;

    private byte[] _buffer = [];
    private int _bufferSize = FirstBuffer;
    private int _maxPacketLength = maxPacketLength;
    private int _start;
    private int _end;
    private int _opened; // bytes of the packet given out last
    private bool _moreIsLikely; // the read before brought bulk data
    private PacketCipher _cipher = PlainCipher.Instance;

    /// <summary>The sequence number of the next packet.</summary>
    public uint Sequence { get; private set; }

    /// <summary>What has been received with the present keys.</summary>
    public long BytesWithKeys { get; private set; }

    /// <summary>Called when all that has come is given out and the client has to send more.</summary>
    public Action RanDry { get; set; } = () => { };

    /// <summary>Allows larger packets from now on, and reads more at once.</summary>
    public void Relax(int maxPacketLength, int bufferSize) =>
        (_maxPacketLength, _bufferSize) = (maxPacketLength, bufferSize);

    /// <summary>Opens the following packets with other keys.</summary>
    public void UseKeys(PacketCipher cipher, bool resetSequence)
    {
        _cipher.Dispose();
        _cipher = cipher;
        BytesWithKeys = 0;
        if (resetSequence)
            Sequence = 0;
    }

    /// <summary>The payload of the next packet, at least one byte long; valid until the next call.</summary>
    /// <exception cref="ConnectionLostException">The other side has gone.</exception>
    /// <exception cref="SshProtocolException">The packet is malformed, too long or not authentic.</exception>
    public async ValueTask<ReadOnlyMemory<byte>> ReceiveAsync(CancellationToken cancellationToken)
    {
        _start += _opened;
        _opened = 0;
        await BufferAsync(_cipher.HeadLength, cancellationToken);
        var length = _cipher.OpenLength(Sequence, _buffer.AsSpan(_start, _cipher.HeadLength));
        if (length < 1 + 1 + MinPadding || length > _maxPacketLength)
            throw new SshProtocolException($"a packet of {length} bytes is not allowed");
        if ((sizeof(uint) + length - _cipher.Unaligned) % _cipher.BlockSize != 0)
            throw new SshProtocolException("a packet's length is not a multiple of the cipher's block");

        var total = sizeof(uint) + (int)length + _cipher.TagLength;
        await BufferAsync(total, cancellationToken);
        var packet = _buffer.AsMemory(_start, total);
        if (!_cipher.Open(Sequence, packet.Span))
            throw new SshProtocolException(DisconnectReason.MacError, "a packet is not authentic");
        var padding = packet.Span[sizeof(uint)];
        if (padding < MinPadding || padding > length - 2)
            throw new SshProtocolException("a packet's padding is wrong");

        Sequence++;
        BytesWithKeys += total;
        _opened = total;
        return packet.Slice(HeadLength, (int)length - 1 - padding);
    }

    /// <summary>A line of text without its end, which is LF or CR LF, before the first packet.</summary>
    /// <returns>Null when there is no line within the limit or it is not printable US-ASCII.</returns>
    public async ValueTask<string?> ReadLineAsync(int maxLength, CancellationToken cancellationToken)
    {
        for (var wanted = 1; wanted <= maxLength; wanted = _end - _start + 1)
        {
            await BufferAsync(wanted, cancellationToken);
            var text = _buffer.AsSpan(_start, Math.Min(_end - _start, maxLength));
            var length = text.IndexOf((byte)'\n');
            if (length < 0)
                continue;
            _start += length + 1;
            var line = text[..length].TrimEnd((byte)'\r');
            return line.ContainsAnyExceptInRange((byte)' ', (byte)'~') ? null : Encoding.ASCII.GetString(line);
        }
        return null;
    }

    /// <summary>Reads and forgets whatever still comes, so that closing the socket does not destroy our last words.</summary>
    public async Task DrainAsync(CancellationToken cancellationToken)
    {
        if (_buffer.Length == 0)
            _buffer = ArrayPool<byte>.Shared.Rent(FirstBuffer);
        while (await socket.ReceiveAsync(_buffer, cancellationToken) > 0)
            continue;
    }

    public void Dispose()
    {
        _cipher.Dispose();
        ReturnBuffer();
    }

    private async ValueTask BufferAsync(int count, CancellationToken cancellationToken)
    {
        while (_end - _start < count)
        {
            if (_start == _end && !_moreIsLikely)
                await WaitWithoutBufferAsync(cancellationToken);
            MakeRoom(count);
            var received = await ReceiveAsync(_buffer.AsMemory(_end), cancellationToken);
            if (received == 0)
                throw new ConnectionLostException("the client has closed the connection");
            _end += received;
            _moreIsLikely = received >= Bulk;
        }
    }

    // Costs two calls of the system more than a read that waits, and so is not for the midst of a transfer.
    private async ValueTask WaitWithoutBufferAsync(CancellationToken cancellationToken)
    {
        if (socket.Available > 0)
            return;
        ReturnBuffer();
        await ReceiveAsync(Memory<byte>.Empty, cancellationToken);
    }

    private async ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            var reception = socket.ReceiveAsync(buffer, SocketFlags.None, cancellationToken);
            if (!reception.IsCompleted)
                RanDry();
            return await reception;
        }
        catch (SocketException e)
        {
            throw new ConnectionLostException("the connection broke", e);
        }
    }

    // Room for all of what is awaited and for a good deal more, so that bulk data takes few reads.
    private void MakeRoom(int count)
    {
        if (_buffer.Length - _start >= count && _buffer.Length - _end >= _bufferSize / 4)
            return;
        var unread = _buffer.AsSpan(_start, _end - _start);
        if (_buffer.Length >= Math.Max(count, _bufferSize))
        {
            unread.CopyTo(_buffer);
        }
        else
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(count, _bufferSize));
            unread.CopyTo(larger);
            ReturnArray();
            _buffer = larger;
        }
        (_start, _end) = (0, unread.Length);
    }

    private void ReturnBuffer()
    {
        ReturnArray();
        _buffer = [];
        (_start, _end) = (0, 0);
    }

    private void ReturnArray()
    {
        if (_buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(_buffer);
    }
}
