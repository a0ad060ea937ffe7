namespace Piku.Server.Hosting.Supervision;

/// <summary>On which ports nginx serves (D18).</summary>
internal sealed record NginxOptions(int HttpPort = 8080, int HttpsPort = 8443)
{
    /// <summary>False where the kernel has no IPv6: nginx would not start.</summary>
    public bool ListensOnIpv6 { get; init; } = System.Net.Sockets.Socket.OSSupportsIPv6;
}
