using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Piku.Server.Ssh.Transport;

/// <summary>
/// The binary header by which a proxy says whose connection it passes on: the PROXY protocol, version 2
/// (haproxy.org, proxy-protocol.txt, section 2.2). Version 1, which is text, is not spoken.
/// </summary>
internal static class ProxyHeader
{
    private const byte Local = 0x20, Proxy = 0x21, TcpOverIPv4 = 0x11, TcpOverIPv6 = 0x21;

    /// <summary>Signature, version and command, family and protocol, length of the rest.</summary>
    private const int HeadLength = 16;

    private static ReadOnlySpan<byte> Signature => "\r\n\r\n\0\r\nQUIT\n"u8;

    /// <summary>Takes the header from the socket, and not a byte more.</summary>
    /// <param name="most">Bytes that the rest of it may have.</param>
    /// <returns>The client's end; null when the connection is the proxy's own (LOCAL), to see whether we are well.</returns>
    /// <exception cref="FormatException">There is no such header.</exception>
    /// <exception cref="SocketException">The connection broke.</exception>
    public static async Task<IPEndPoint?> ReceiveAsync(Socket socket, int most, CancellationToken cancellationToken)
    {
        var head = new byte[HeadLength];
        await FillAsync(socket, head, cancellationToken);
        var rest = new byte[ReadHead(head, most)];
        await FillAsync(socket, rest, cancellationToken);
        return Read(head, rest);
    }

    /// <summary>Reads a whole header; what follows it is not looked at.</summary>
    /// <inheritdoc cref="ReceiveAsync"/>
    public static IPEndPoint? Read(ReadOnlySpan<byte> bytes, int most)
    {
        if (bytes.Length < HeadLength)
            throw new FormatException("the header is too short");
        var length = ReadHead(bytes[..HeadLength], most);
        return bytes.Length - HeadLength >= length
            ? Read(bytes[..HeadLength], bytes.Slice(HeadLength, length))
            : throw new FormatException("the header is too short");
    }

    /// <returns>How long the rest is.</returns>
    private static int ReadHead(ReadOnlySpan<byte> head, int most)
    {
        if (!head.StartsWith(Signature))
            throw new FormatException("there is no header of the PROXY protocol, version 2");
        if (head[12] is not (Local or Proxy))
            throw new FormatException("its version or command is unknown");
        var length = BinaryPrimitives.ReadUInt16BigEndian(head[14..]);
        return length <= most ? length : throw new FormatException($"it is longer than {most} bytes");
    }

    // source address, destination address, source port, destination port; then type-length-values, which we need none of
    private static IPEndPoint? Read(ReadOnlySpan<byte> head, ReadOnlySpan<byte> rest) => (head[12], head[13]) switch
    {
        (Local, _) => null,
        (_, TcpOverIPv4) => ReadSource(rest, addressLength: 4),
        (_, TcpOverIPv6) => ReadSource(rest, addressLength: 16),
        _ => throw new FormatException("it is about something else than TCP"),
    };

    private static IPEndPoint ReadSource(ReadOnlySpan<byte> rest, int addressLength) =>
        rest.Length >= 2 * (addressLength + sizeof(ushort))
            ? new(new IPAddress(rest[..addressLength]), BinaryPrimitives.ReadUInt16BigEndian(rest[(2 * addressLength)..]))
            : throw new FormatException("its addresses are incomplete");

    private static async Task FillAsync(Socket socket, Memory<byte> bytes, CancellationToken cancellationToken)
    {
        while (!bytes.IsEmpty)
        {
            var received = await socket.ReceiveAsync(bytes, SocketFlags.None, cancellationToken);
            if (received == 0)
                throw new FormatException("it ended early");
            bytes = bytes[received..];
        }
    }
}
