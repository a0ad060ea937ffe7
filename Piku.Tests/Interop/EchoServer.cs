using System.Net;
using System.Net.Sockets;

namespace Piku.Tests.Interop;

/// <summary>Says again what it is told, to everyone who connects, and closes after so many bytes.</summary>
internal sealed class EchoServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly int _length;

    public EchoServer(int length)
    {
        _length = length;
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public void Dispose() => _listener.Dispose();

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = EchoAsync(await _listener.AcceptSocketAsync());
        }
        catch (Exception over) when (over is SocketException or ObjectDisposedException)
        {
            // The test has ended.
        }
    }

    private async Task EchoAsync(Socket socket)
    {
        await using var stream = new NetworkStream(socket, ownsSocket: true);
        var buffer = new byte[_length];
        for (int left = _length, count; left > 0 && (count = await stream.ReadAsync(buffer)) > 0; left -= count)
            await stream.WriteAsync(buffer.AsMemory(0, count));
    }
}
