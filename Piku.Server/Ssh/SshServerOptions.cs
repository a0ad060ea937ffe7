using System.Net;
using System.Net.Sockets;
using Piku.Server.Ssh.Authentication;
using Piku.Server.Ssh.Crypto;

namespace Piku.Server.Ssh;

/// <summary>What a server is made of. A connection keeps what it began with.</summary>
internal sealed record SshServerOptions
{
    /// <summary>Where to listen; port 0 takes a free one. IPv6 end points take no IPv4.</summary>
    public required IReadOnlyList<IPEndPoint> EndPoints { get; init; }

    /// <summary>By which clients know this server; at least one. See <see cref="HostKeyStore"/>.</summary>
    public required IReadOnlyList<HostKey> HostKeys { get; init; }

    /// <summary>Who may come in.</summary>
    public required AuthorizedKeys AuthorizedKeys { get; init; }

    /// <summary>Which user names are known. The key alone is the identity, so by default any name will do.</summary>
    public Func<string, bool> IsUser { get; init; } = _ => true;

    /// <summary>Sockets that listen already and whose owner the server becomes: whoever has started us made them.</summary>
    public IReadOnlyList<Socket> Listeners { get; init; } = [];

    /// <summary>
    /// Proxies whose connections begin with a header that says whose they are (<see cref="Transport.ProxyHeader"/>), and
    /// are refused without one.
    /// </summary>
    public AddressPatterns Proxies { get; init; } = AddressPatterns.None;

    /// <summary>Told of what happens; it must not throw.</summary>
    public Action<SshRecord> Record { get; init; } = _ => { };

    /// <summary>Variables that a client may set for its session; a <c>*</c> at the end stands for any ending.</summary>
    public IReadOnlyList<string> AcceptedEnvironment { get; init; } = ["GIT_PROTOCOL", "LANG", "LC_*"];

    /// <summary>Subsystems that the handler serves (RFC 4254, section 6.5).</summary>
    public IReadOnlyList<string> Subsystems { get; init; } = [];

    /// <summary>Which connections to this machine's own ports a key may open; null allows, a sentence refuses.</summary>
    public Func<AuthorizedKey, ForwardTarget, string?> MayForward { get; init; } = ForwardTarget.Allow;

    /// <summary>The version line, without its end (RFC 4253, section 4.2).</summary>
    public string Version { get; init; } = "SSH-2.0-piku_0.1";

    public AlgorithmSuite Algorithms { get; init; } = AlgorithmSuite.Default;

    public TimeProvider Clock { get; init; } = TimeProvider.System;

    public SshLimits Limits { get; init; } = new();
}
