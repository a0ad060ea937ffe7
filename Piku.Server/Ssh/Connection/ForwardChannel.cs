using System.Diagnostics;
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
        var target = new ForwardTarget(host, (int)Math.Min(port, int.MaxValue));
        if (port is 0 or > IPEndPoint.MaxPort || target.Loopback() is not [_, ..] addresses)
            Refuse(opening, target, OpenFailure.AdministrativelyProhibited, "only ports of this machine (localhost) can be forwarded");
        else if (context.Options.MayForward(context.User.Key, target) is { } refusal)
            Refuse(opening, target, OpenFailure.AdministrativelyProhibited, refusal);
        else
            _ = Task.Run(() => ConnectAsync(opening, target, addresses));
    }

    private static void Refuse(ChannelOpening opening, ForwardTarget target, OpenFailure reason, string sentence)
    {
        opening.Refuse(reason, sentence);
        Record(opening.Connection.Context, target, sentence, sent: 0, received: 0, TimeSpan.Zero);
    }

    private static void Record(ConnectionContext context, ForwardTarget target, string? refusal, long sent, long received, TimeSpan duration) =>
        context.Options.Record(new SshForward(
            context.Id, context.RemoteEndPoint.Address, context.User, target, refusal, sent, received, duration));

    [SuppressMessage("Reliability", "CA2025", Justification = "The service owns the socket; without one it is disposed of here.")]
    private static async Task ConnectAsync(ChannelOpening opening, ForwardTarget target, IReadOnlyList<IPAddress> addresses)
    {
        var context = opening.Connection.Context;
        if (await FindAsync(addresses, target.Port, context.Options.Limits.ForwardConnect) is not { } socket)
        {
            Refuse(opening, target, OpenFailure.ConnectFailed, $"nothing answers on port {target.Port}");
            return;
        }
        try
        {
            opening.Accept((_, ref _) => RequestAnswer.Refused, channel => ServeAsync(opening.Connection, target, channel, socket));
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

    private static async Task ServeAsync(ConnectionProtocol connection, ForwardTarget target, Channel channel, Socket socket)
    {
        var started = Stopwatch.GetTimestamp();
        var (sent, received) = (0L, 0L);
        using (channel.Stopping.Register(channel.Cancel))
            await Task.WhenAll(GuardAsync(ToClientAsync, bytes => sent += bytes), GuardAsync(FromClientAsync, bytes => received += bytes));
        socket.Dispose();
        Record(connection.Context, target, refusal: null, sent, received, Stopwatch.GetElapsedTime(started));
        channel.Close();
        connection.Release(channel);

        // One direction that fails takes the other with it; one that only ends does not.
        async Task GuardAsync(Func<Channel, Socket, Action<int>, Task> direction, Action<int> count)
        {
            try
            {
                await direction(channel, socket, count);
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
            {
                channel.Cancel();
                socket.Dispose();
            }
        }
    }

    private static async Task ToClientAsync(Channel channel, Socket socket, Action<int> passed)
    {
        var buffer = new byte[BufferSize];
        while (await socket.ReceiveAsync(buffer, channel.Gone) is var count and > 0)
        {
            await channel.Output.WriteAsync(buffer.AsMemory(0, count), channel.Gone);
            passed(count);
        }
        channel.SendEof();
    }

    private static async Task FromClientAsync(Channel channel, Socket socket, Action<int> passed)
    {
        var buffer = new byte[BufferSize];
        while (await channel.Input.ReadAsync(buffer, channel.Gone) is var count and > 0)
        {
            for (var rest = buffer.AsMemory(0, count); !rest.IsEmpty;)
                rest = rest[await socket.SendAsync(rest, channel.Gone)..];
            passed(count);
        }
        socket.Shutdown(SocketShutdown.Send);
    }
}
