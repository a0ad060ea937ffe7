namespace Piku.Server.Ssh.Connection;

/// <summary>
/// What the client receives on a channel, as data or as extended data. Writing waits for the channel's window and
/// for the connection, and fails when the client has gone. Nothing is kept back, so there is nothing to flush.
/// </summary>
/// <param name="channel">Where to write to.</param>
/// <param name="dataType">Of extended data (RFC 4254, section 5.2); null for ordinary data.</param>
internal sealed class ChannelOutput(Channel channel, uint? dataType) : Stream
{
    public override bool CanRead => false;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        channel.WriteAsync(buffer, dataType, cancellationToken);

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Write(byte[] buffer, int offset, int count) =>
        WriteAsync(buffer, offset, count, CancellationToken.None).GetAwaiter().GetResult();

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
