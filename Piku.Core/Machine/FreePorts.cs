using System.Net;
using System.Net.Sockets;

namespace Piku.Core.Machine;

/// <summary>TCP ports that nobody listens on.</summary>
public static class FreePorts
{
    /// <summary>True unless somebody has the port now.</summary>
    public static bool IsFree(IPAddress address, int port) => Refusal(address, port)?.SocketErrorCode is not SocketError.AddressAlreadyInUse;

    /// <summary>True for an address of this machine.</summary>
    public static bool IsOurs(IPAddress address) =>
        Refusal(address, 0)?.SocketErrorCode is not (SocketError.AddressNotAvailable or SocketError.AddressFamilyNotSupported);

    /// <summary>Why nobody, or not this process, can listen at an address now; null when it can.</summary>
    /// <param name="port">0 for any that is free.</param>
    public static SocketException? Refusal(IPAddress address, int port)
    {
        using var listener = new TcpListener(address, port);
        try
        {
            listener.Start();
            return null;
        }
        catch (SocketException refused)
        {
            return refused;
        }
    }

    /// <summary>
    /// Different ports that are free on an address now and not promised to anybody. They are not held: until its
    /// user binds it, a port may still be taken, so remember what has been promised and pass it as taken.
    /// </summary>
    /// <exception cref="SocketException">The address is not of this machine, or there are no ports left.</exception>
    public static IReadOnlyList<int> Find(int count, IReadOnlySet<int> taken, IPAddress? address = null)
    {
        var listeners = new List<TcpListener>();
        try
        {
            var found = new List<int>(count);
            while (found.Count < count)
            {
                var listener = new TcpListener(address ?? IPAddress.Loopback, 0);
                listeners.Add(listener);
                listener.Start();
                var port = ((IPEndPoint)listener.LocalEndpoint).Port;
                if (!taken.Contains(port))
                    found.Add(port);
            }
            return found;
        }
        finally
        {
            listeners.ForEach(listener => listener.Dispose());
        }
    }
}
