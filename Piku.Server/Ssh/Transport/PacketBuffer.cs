using System.Buffers;

namespace Piku.Server.Ssh.Transport;

/// <summary>Bytes that are appended and then taken together, in a pooled array that grows as needed.</summary>
internal sealed class PacketBuffer : IDisposable
{
    private const int FirstCapacity = 4 * 1024;

    private byte[] _array = [];

    public int Length { get; private set; }

    public Memory<byte> Content => _array.AsMemory(0, Length);

    /// <summary>Makes room at the end, and gives it.</summary>
    public Span<byte> Extend(int count)
    {
        if (count > _array.Length - Length)
            Grow(count);
        Length += count;
        return _array.AsSpan(Length - count, count);
    }

    /// <summary>Forgets the content, and keeps the array for more.</summary>
    public void Clear() => Length = 0;

    /// <summary>Forgets the content and gives the array back. The buffer can be used again.</summary>
    public void Dispose()
    {
        if (_array.Length > 0)
            ArrayPool<byte>.Shared.Return(_array);
        _array = [];
        Length = 0;
    }

    private void Grow(int count)
    {
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(Math.Max(Length + count, _array.Length * 2), FirstCapacity));
        Content.CopyTo(larger);
        var length = Length;
        Dispose();
        (_array, Length) = (larger, length);
    }
}
