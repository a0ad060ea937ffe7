using System.Net;
using System.Net.Sockets;

namespace Piku.Server.Ssh;

/// <summary>The server cannot listen where it should.</summary>
/// <param name="endPoint">Where.</param>
/// <param name="cause">Why: <see cref="SocketError.AddressAlreadyInUse"/>, <see cref="SocketError.AccessDenied"/>, …</param>
internal sealed class SshListenException(IPEndPoint endPoint, SocketException cause)
    : IOException($"cannot listen on {endPoint}: {cause.Message}", cause)
{
    public IPEndPoint EndPoint => endPoint;

    public SocketError Error => cause.SocketErrorCode;
}
