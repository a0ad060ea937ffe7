using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Piku.Server.Ssh.Wire;

namespace Piku.Tests.Ssh;

/// <summary>Puts a message together, field by field, right or wrong.</summary>
internal sealed class MessageBuilder
{
    private readonly ArrayBufferWriter<byte> _bytes = new();

    public MessageBuilder(MessageNumber number) => _bytes.Write([(byte)number]);

    public MessageBuilder Boolean(bool value)
    {
        _bytes.Write([value ? (byte)1 : (byte)0]);
        return this;
    }

    public MessageBuilder UInt32(uint value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        _bytes.Write(bytes);
        return this;
    }

    public MessageBuilder String(ReadOnlySpan<byte> value)
    {
        UInt32((uint)value.Length);
        _bytes.Write(value);
        return this;
    }

    public MessageBuilder Text(string value) => String(Encoding.UTF8.GetBytes(value));

    public byte[] ToArray() => _bytes.WrittenSpan.ToArray();
}
