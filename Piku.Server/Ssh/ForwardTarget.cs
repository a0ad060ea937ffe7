using System.Net;
using Piku.Server.Ssh.Authentication;

namespace Piku.Server.Ssh;

/// <summary>Where a client wants a connection to (RFC 4254, section 7.2).</summary>
/// <param name="Host">A name or an address, as sent.</param>
internal sealed record ForwardTarget(string Host, int Port)
{
    /// <summary>The addresses of this machine's own that the host stands for; none when it is elsewhere. No name is looked up.</summary>
    public IReadOnlyList<IPAddress> Loopback() =>
        Host.Equals("localhost", StringComparison.OrdinalIgnoreCase) ? [IPAddress.Loopback, IPAddress.IPv6Loopback]
        : IPAddress.TryParse(Host, out var address) && IPAddress.IsLoopback(address) ? [address]
        : [];

    /// <summary>The rule of sshd(8) for a key's options: <c>port-forwarding</c>, <c>restrict</c>, <c>permitopen=</c>.</summary>
    /// <returns>Null when it is allowed, else the sentence to say.</returns>
    public static string? Allow(AuthorizedKey key, ForwardTarget target) =>
        !key.Options.MayForwardPorts ? "this key may not forward ports"
        : !key.Options.MayForwardTo(target.Host, target.Port) ? "this key may not forward to that port"
        : null;
}
