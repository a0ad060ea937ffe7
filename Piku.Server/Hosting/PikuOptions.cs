using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Piku.Core.Services;
using Piku.Server.Ssh;
using Piku.Server.Ssh.Authentication;
using Piku.Server.Ssh.Crypto;

namespace Piku.Server.Hosting;

/// <summary>How this daemon is set up: <c>piku.toml</c>, overridden by the environment. <see cref="OptionTable"/> explains each.</summary>
internal sealed record PikuOptions
{
    public int SshPort { get; init; } = 2222;

    public ImmutableArray<IPAddress> SshAddresses { get; init; } = [IPAddress.Any, IPAddress.IPv6Any];

    public AlgorithmSuite SshAlgorithms { get; init; } = AlgorithmSuite.Default;

    public AddressPatterns SshProxies { get; init; } = AddressPatterns.None;

    public SshLimits SshLimits { get; init; } = new();

    /// <summary>Sockets that listen already; then nothing else is listened on for ssh.</summary>
    public IReadOnlyList<Socket> SshListeners { get; init; } = [];

    public int HttpPort { get; init; } = 8080;

    public int HttpsPort { get; init; } = 8443;

    /// <summary>Addresses and networks, as nginx takes them.</summary>
    public ImmutableArray<string> TrustedProxies { get; init; } = [];

    public Uri CloudflareSource { get; init; } = CloudflareNetworks.Published;

    /// <summary>Where acme.sh is; null for where its own installer puts it.</summary>
    public string? AcmeFolder { get; init; }

    public int ParallelDeploys { get; init; } = Math.Max(1, Environment.ProcessorCount / 2);

    /// <summary>Each app runs as a user of its own.</summary>
    public bool AppUsers { get; init; }

    public bool Supervise { get; init; } = true;

    /// <summary>These options, with ssh on sockets that were given; without any, as they are.</summary>
    public PikuOptions On(IReadOnlyList<Socket> listeners) => listeners is [var first, ..]
        ? this with { SshListeners = listeners, SshAddresses = [], SshPort = ((IPEndPoint)first.LocalEndPoint!).Port }
        : this;
}
