using System.Buffers;
using System.IO.Pipelines;

namespace Piku.Server.Ssh.Connection;

/// <summary>
/// What the client sends on a channel, until its EOF. Reading makes room in the channel's window. When the client
/// goes without an EOF, reading fails: half of something never looks like all of it.
/// </summary>
internal sealed class ChannelInput(Channel channel, PipeReader reader) : Stream
{
    public override bool CanRead => true;

    public override bool CanWrite => false;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var result = await reader.ReadAsync(cancellationToken);
        var data = result.Buffer.Slice(0, Math.Min(buffer.Length, result.Buffer.Length));
        data.CopyTo(buffer.Span);
        return Consume(data);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) =>
        ReadAsync(buffer, offset, count, CancellationToken.None).GetAwaiter().GetResult();

    /// <summary>Without a buffer in between.</summary>
    public override async Task CopyToAsync(Stream destination, int bufferSize, CancellationToken cancellationToken)
    {
        while (true)
        {
            var result = await reader.ReadAsync(cancellationToken);
            foreach (var segment in result.Buffer)
                await destination.WriteAsync(segment, cancellationToken);
            if (Consume(result.Buffer) == 0 && result.IsCompleted)
                return;
        }
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private int Consume(ReadOnlySequence<byte> data)
    {
        var length = (int)data.Length;
        reader.AdvanceTo(data.End);
        channel.Consumed(length);
        return length;
    }
}
