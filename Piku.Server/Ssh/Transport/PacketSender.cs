using System.Buffers.Binary;
using System.Net.Sockets;
using System.Security.Cryptography;
using Piku.Server.Ssh.Crypto;
using Piku.Server.Ssh.Wire;

namespace Piku.Server.Ssh.Transport;

/// <summary>
/// Sends packets (RFC 4253, section 6). Anyone may append one, in plain text; a single loop seals whatever has
/// gathered, in place, and gives it to the socket with one write. Between our KEXINIT and our NEWKEYS only
/// messages of the key exchange go out, and others are held (RFC 4253, section 7.1).
/// </summary>
/// <param name="socket">Written to by the loop alone.</param>
/// <param name="preface">What is sent before the first packet.</param>
/// <param name="capacity">Bytes that may wait to be sent before data has to.</param>
internal sealed partial class PacketSender(Socket socket, ReadOnlyMemory<byte> preface, int capacity) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Signal _work = new();
    private readonly PacketBuffer _held = new();
    private readonly Queue<NewKeys> _newKeys = new();
    private PacketBuffer _pending = new();
    private PacketCipher _layout = PlainCipher.Instance; // of the packets being appended; the loop's follows at NEWKEYS
    private TaskCompletionSource? _room;
    private bool _exchangingKeys;
    private bool _completed;
    private bool _ended;

    /// <summary>What has been appended with the present keys.</summary>
    public long BytesWithKeys { get; private set; }

    /// <summary>
    /// Completes at once, unless the other side has asked for more answers than it takes: then when there is room
    /// again, and when a key exchange begins, because that needs what the other side sends.
    /// </summary>
    public Task UncongestedAsync()
    {
        lock (_gate)
        {
            return _ended || _exchangingKeys || _pending.Length <= 2 * capacity
                ? Task.CompletedTask
                : RoomAsync();
        }
    }

    /// <summary>Bytes of messages that wait for a key exchange to end.</summary>
    public int Held
    {
        get
        {
            lock (_gate)
                return _held.Length;
        }
    }

    /// <summary>Appends a message.</summary>
    public void Send(ReadOnlySpan<byte> message)
    {
        lock (_gate)
        {
            if (_exchangingKeys)
                Hold(message);
            else
                Append(message, []);
        }
        _work.Give();
    }

    /// <summary>Appends a message of which the tail is bulk data; false, and nothing done, while there is no room.</summary>
    public bool TrySend(ReadOnlySpan<byte> head, ReadOnlySpan<byte> tail)
    {
        lock (_gate)
        {
            if (_exchangingKeys || _pending.Length >= capacity)
                return false;
            Append(head, tail);
        }
        _work.Give();
        return true;
    }

    /// <summary>Completes when there may be room again, or when sending has ended.</summary>
    public Task RoomAsync()
    {
        lock (_gate)
        {
            if (_ended || (!_exchangingKeys && _pending.Length < capacity))
                return Task.CompletedTask;
            _room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _room.Task;
        }
    }

    /// <summary>Appends our KEXINIT; other messages are held from now on.</summary>
    public void BeginKeyExchange(ReadOnlySpan<byte> kexInit)
    {
        lock (_gate)
        {
            Append(kexInit, []);
            _exchangingKeys = true;
            GiveRoom(); // there is none, but whoever waits has to look again
        }
        _work.Give();
    }

    /// <summary>Appends a message that may go out during a key exchange.</summary>
    public void SendAtOnce(ReadOnlySpan<byte> message)
    {
        lock (_gate)
            Append(message, []);
        _work.Give();
    }

    /// <summary>Appends NEWKEYS, after it what must come first with the new keys, and then what was held.</summary>
    public void EndKeyExchange(PacketCipher next, bool resetSequence, ReadOnlySpan<byte> first)
    {
        lock (_gate)
        {
            Append([(byte)MessageNumber.NewKeys], []);
            _newKeys.Enqueue(new(next, resetSequence));
            (_layout, _exchangingKeys, BytesWithKeys) = (next, false, 0);
            if (!first.IsEmpty)
                Append(first, []);
            Release();
        }
        _work.Give();
    }

    /// <summary>Ends the loop when all that was appended is sent.</summary>
    public void Complete()
    {
        lock (_gate)
            _completed = true;
        _work.Give();
    }

    /// <summary>Comes after the loop has ended.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _ended = true;
            _held.Dispose();
            _pending.Dispose();
            _sending.Dispose();
            _cipher.Dispose();
            _layout.Dispose();
            foreach (var keys in _newKeys)
                keys.Cipher.Dispose();
        }
    }

    // byte padding_length | payload | padding, after the length and before the room for the tag
    private void Append(ReadOnlySpan<byte> head, ReadOnlySpan<byte> tail)
    {
        if (_ended)
            return;
        var payload = head.Length + tail.Length;
        var padding = _layout.PaddingFor(payload);
        var length = 1 + payload + padding;
        var packet = _pending.Extend(sizeof(uint) + length + _layout.TagLength);
        BinaryPrimitives.WriteUInt32BigEndian(packet, (uint)length);
        packet[sizeof(uint)] = (byte)padding;
        var body = packet[(sizeof(uint) + 1)..];
        head.CopyTo(body);
        tail.CopyTo(body[head.Length..]);
        RandomNumberGenerator.Fill(body.Slice(payload, padding));
        BytesWithKeys += packet.Length;
    }

    private void Hold(ReadOnlySpan<byte> message)
    {
        if (_ended)
            return;
        var held = _held.Extend(sizeof(int) + message.Length);
        BinaryPrimitives.WriteInt32BigEndian(held, message.Length);
        message.CopyTo(held[sizeof(int)..]);
    }

    private void Release()
    {
        for (var held = _held.Content.Span; !held.IsEmpty;)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(held);
            Append(held.Slice(sizeof(int), length), []);
            held = held[(sizeof(int) + length)..];
        }
        _held.Dispose();
        GiveRoom();
    }

    private void GiveRoom()
    {
        _room?.SetResult();
        _room = null;
    }

    /// <summary>What the packets after a NEWKEYS are sealed with.</summary>
    private readonly record struct NewKeys(PacketCipher Cipher, bool ResetSequence);
}
