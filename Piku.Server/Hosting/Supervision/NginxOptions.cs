using System.Collections.Immutable;
using Piku.Core.Machine;

namespace Piku.Server.Hosting.Supervision;

/// <summary>On which ports nginx serves (D18).</summary>
internal sealed record NginxOptions(int HttpPort = 8080, int HttpsPort = 8443)
{
    /// <summary>True for the root of a user namespace: nginx, started as root, would have its workers be another user, who is nobody there.</summary>
    public bool IsRoot { get; init; } = UserNamespace.Users is not null;

    /// <summary>Addresses and networks of proxies that are believed what they say of a request.</summary>
    public ImmutableArray<string> TrustedProxies { get; init; } = [];

    /// <summary>False where the kernel has no IPv6: nginx would not start.</summary>
    public bool ListensOnIpv6 { get; init; } = System.Net.Sockets.Socket.OSSupportsIPv6;
}
