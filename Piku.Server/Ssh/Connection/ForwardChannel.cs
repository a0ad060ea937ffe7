using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Piku.Server.Ssh.Wire;

namespace Piku.Server.Ssh.Connection;

/// <summary>
/// A channel of the type <c>direct-tcpip</c> (RFC 4254, section 7.2; <c>ssh -L</c> and <c>-W</c>): a connection to one of
/// this machine's own ports, and nowhere else: the server is no way into the network behind it.
/// </summary>
internal static class ForwardChannel
{
    private const int BufferSize = 32 * 1024;

    // string host, uint32 port, string originator address, uint32 originator port
    public static void Open(ChannelOpening opening, ref SshReader reader)
    {
        var host = Encoding.UTF8.GetString(reader.ReadString());
        var port = reader.ReadUInt32();
        reader.ReadString();
        reader.ReadUInt32();
        reader.End();
        var context = opening.Connection.Context;
        if (port is 0 or > IPEndPoint.MaxPort || new ForwardTarget(host, (int)port) is var target && target.Loopback() is not [_, ..] addresses)
            opening.Refuse(OpenFailure.AdministrativelyProhibited, "only ports of this machine (localhost) can be forwarded");
        else if (context.Options.MayForward(context.User.Key, target) is { } refusal)
            opening.Refuse(OpenFailure.AdministrativelyProhibited, refusal);
        else
            _ = Task.Run(() => ConnectAsync(opening, addresses, (int)port));
    }

    [SuppressMessage("Reliability", "CA2025", Justification = "The service owns the socket; without one it is disposed of here.")]
    private static async Task ConnectAsync(ChannelOpening opening, IReadOnlyList<IPAddress> addresses, int port)
    {
        var context = opening.Connection.Context;
        if (await FindAsync(addresses, port, context.Options.Limits.ForwardConnect) is not { } socket)
        {
            opening.Refuse(OpenFailure.ConnectFailed, $"nothing answers on port {port}");
            return;
        }
        try
        {
            opening.Accept((_, ref _) => RequestAnswer.Refused, channel => ServeAsync(opening.Connection, channel, socket));
        }
        catch (OperationCanceledException)
        {
            socket.Dispose();
        }
    }

    private static async Task<Socket?> FindAsync(IReadOnlyList<IPAddress> addresses, int port, TimeSpan limit)
    {
        foreach (var address in addresses)
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            using var patience = new CancellationTokenSource(limit);
            try
            {
                await socket.ConnectAsync(address, port, patience.Token);
                return socket;
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException)
            {
                socket.Dispose();
            }
        }
        return null;
    }

    private static async Task ServeAsync(ConnectionProtocol connection, Channel channel, Socket socket)
    {
        await Task.WhenAll(GuardAsync(ToClientAsync), GuardAsync(FromClientAsync));
        socket.Dispose();
        channel.Close();
        connection.Release(channel);

        // One direction that fails takes the other with it; one that only ends does not.
        async Task GuardAsync(Func<Channel, Socket, Task> direction)
        {
            try
            {
                await direction(channel, socket);
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
            {
                channel.Cancel();
                socket.Dispose();
            }
        }
    }

    private static async Task ToClientAsync(Channel channel, Socket socket)
    {
        var buffer = new byte[BufferSize];
        while (await socket.ReceiveAsync(buffer, channel.Gone) is var count and > 0)
            await channel.Output.WriteAsync(buffer.AsMemory(0, count), channel.Gone);
        channel.SendEof();
    }

    private static async Task FromClientAsync(Channel channel, Socket socket)
    {
        var buffer = new byte[BufferSize];
        while (await channel.Input.ReadAsync(buffer, channel.Gone) is var count and > 0)
            for (var rest = buffer.AsMemory(0, count); !rest.IsEmpty;)
                rest = rest[await socket.SendAsync(rest, channel.Gone)..];
        socket.Shutdown(SocketShutdown.Send);
    }
}
