using System.Net;
using System.Net.Sockets;

namespace Piku.Server.Ssh.Admission;

/// <summary>What counts as one address: an IPv4 address, or all of a site's IPv6 addresses.</summary>
internal static class Site
{
    /// <summary>In bytes: a site has at least a /64 of IPv6 to itself (RFC 6177).</summary>
    private const int Prefix = 8;

    public static IPAddress Of(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
            return address.MapToIPv4();
        if (address.AddressFamily != AddressFamily.InterNetworkV6 || IPAddress.IsLoopback(address))
            return address;
        var bytes = address.GetAddressBytes();
        bytes.AsSpan(Prefix).Clear();
        return new IPAddress(bytes);
    }
}
