using System.Buffers.Binary;
using System.Net.Sockets;
using Piku.Server.Ssh.Crypto;
using Piku.Server.Ssh.Wire;

namespace Piku.Server.Ssh.Transport;

/// <summary>The loop: the only one that seals, and that writes to the socket.</summary>
internal sealed partial class PacketSender
{
    private PacketBuffer _sending = new();
    private PacketCipher _cipher = PlainCipher.Instance;
    private uint _sequence;

    /// <summary>Sends until <see cref="Complete"/>.</summary>
    /// <exception cref="ConnectionLostException">The other side has gone.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await WriteAsync(preface, cancellationToken);
            while (await TakeAsync())
            {
                Seal(_sending.Content.Span);
                await WriteAsync(_sending.Content, cancellationToken);
                _sending.Clear();
            }
        }
        finally
        {
            lock (_gate)
            {
                _ended = true;
                GiveRoom();
            }
        }
    }

    private async ValueTask<bool> TakeAsync()
    {
        while (true)
        {
            lock (_gate)
            {
                if (_pending.Length > 0)
                {
                    (_pending, _sending) = (_sending, _pending);
                    if (!_exchangingKeys)
                        GiveRoom();
                    return true;
                }
                if (_completed)
                    return false;
                _pending.Dispose(); // who is idle holds nothing
                _sending.Dispose();
            }
            await _work.WaitAsync();
        }
    }

    private void Seal(Span<byte> packets)
    {
        while (!packets.IsEmpty)
        {
            var length = sizeof(uint) + BinaryPrimitives.ReadInt32BigEndian(packets) + _cipher.TagLength;
            var packet = packets[..length];
            var isNewKeys = packet[sizeof(uint) + 1] == (byte)MessageNumber.NewKeys;
            _cipher.Seal(_sequence++, packet);
            if (isNewKeys)
                TakeNewKeys();
            packets = packets[length..];
        }
    }

    private void TakeNewKeys()
    {
        lock (_gate)
        {
            var keys = _newKeys.Dequeue();
            _cipher.Dispose();
            _cipher = keys.Cipher;
            if (keys.ResetSequence)
                _sequence = 0;
        }
    }

    private async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        try
        {
            for (var rest = bytes; !rest.IsEmpty;)
                rest = rest[await socket.SendAsync(rest, SocketFlags.None, cancellationToken)..];
        }
        catch (SocketException e)
        {
            throw new ConnectionLostException("the connection broke", e);
        }
    }
}
