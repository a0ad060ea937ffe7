using System.Buffers.Binary;

namespace Piku.Server.Sftp;

/// <summary>
/// An SFTP server, version 3 (draft-ietf-secsh-filexfer-02, with OpenSSH's extensions): requests in, answers out, in
/// order. Clients send dozens of requests before they look at an answer; answers are gathered as long as requests are
/// there, within a bound. A client that does not read waits for itself.
/// </summary>
internal sealed class SftpServer(FileTree tree) : IDisposable
{
    /// <summary>Longest packet in bytes, as in OpenSSH, and what a read or write may have of it.</summary>
    public const int MaxPacket = 256 * 1024, MaxData = MaxPacket - 1024;

    private const int FirstBuffer = 36 * 1024, FlushAt = 32 * 1024;

    private readonly SftpRequests _requests = new(tree);
    private readonly SftpWriter _answers = new();
    private byte[] _buffer = new byte[FirstBuffer];
    private int _start;
    private int _end;
    private bool _isOpen;

    /// <summary>Serves one client to its end.</summary>
    /// <returns>False when it does not speak the protocol.</returns>
    /// <exception cref="IOException">The client has gone.</exception>
    public async Task<bool> ServeAsync(Stream input, Stream output, CancellationToken cancellationToken)
    {
        while (true)
        {
            while (PacketLength() is { } length)
            {
                if (length is 0 or > MaxPacket)
                    return false;
                if (sizeof(uint) + length > _end - _start)
                    break;
                if (!Answer(_buffer.AsSpan(_start + sizeof(uint), (int)length)))
                    return false;
                _start += sizeof(uint) + (int)length;
                if (_answers.Length >= FlushAt)
                    await FlushAsync(output, cancellationToken);
            }
            await FlushAsync(output, cancellationToken);
            if (!await ReadAsync(input, cancellationToken))
                return _start == _end;
        }
    }

    public void Dispose() => _requests.Dispose();

    private uint? PacketLength() =>
        _end - _start < sizeof(uint) ? null : BinaryPrimitives.ReadUInt32BigEndian(_buffer.AsSpan(_start));

    private bool Answer(ReadOnlySpan<byte> packet)
    {
        if (_isOpen)
            return _requests.TryAnswer(packet, _answers);
        _isOpen = SftpRequests.TryOpen(packet, _answers);
        return _isOpen;
    }

    private async Task FlushAsync(Stream output, CancellationToken cancellationToken)
    {
        if (_answers.Length == 0)
            return;
        await output.WriteAsync(_answers.Written, cancellationToken);
        _answers.Clear();
    }

    private async Task<bool> ReadAsync(Stream input, CancellationToken cancellationToken)
    {
        var rest = _buffer.AsMemory(_start, _end - _start);
        var needed = (int)(PacketLength() ?? 0) + sizeof(uint);
        if (needed > _buffer.Length)
            _buffer = new byte[sizeof(uint) + MaxPacket];
        rest.CopyTo(_buffer);
        (_start, _end) = (0, rest.Length);
        var count = await input.ReadAsync(_buffer.AsMemory(_end), cancellationToken);
        _end += count;
        return count > 0;
    }
}
