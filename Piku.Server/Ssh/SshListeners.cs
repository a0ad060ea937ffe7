using System.Net;
using System.Net.Sockets;

namespace Piku.Server.Ssh;

/// <summary>Sockets that listen: those that were given, or new ones on the end points.</summary>
internal static class SshListeners
{
    private const int Backlog = 128;

    /// <summary>Seconds without a sign of life until TCP asks for one; Linux waits two hours by itself.</summary>
    private const int KeepAliveAfter = 120;

    /// <summary>All of them, or none.</summary>
    /// <exception cref="SshListenException">An end point is in use or not ours to use.</exception>
    public static IReadOnlyList<Socket> Open(SshServerOptions options)
    {
        var listeners = new List<Socket>(options.Listeners);
        try
        {
            listeners.ForEach(BeResponsive);
            foreach (var endPoint in options.EndPoints)
                listeners.Add(Listen(endPoint));
            return listeners;
        }
        catch (SshListenException)
        {
            listeners.ForEach(listener => listener.Dispose());
            throw;
        }
    }

    private static Socket Listen(IPEndPoint endPoint)
    {
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (endPoint.AddressFamily == AddressFamily.InterNetworkV6)
                socket.DualMode = false;
            BeResponsive(socket);
            socket.Bind(endPoint);
            socket.Listen(Backlog);
            return socket;
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new SshListenException(endPoint, e);
        }
    }

    // Accepted sockets inherit these (tcp(7)): answers leave at once, and a client that has silently vanished is noticed.
    private static void BeResponsive(Socket listener)
    {
        listener.NoDelay = true;
        listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        listener.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, KeepAliveAfter);
    }
}
