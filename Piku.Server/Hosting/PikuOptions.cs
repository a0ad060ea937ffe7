using System.Collections.Immutable;
using System.Net;
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

    public int HttpPort { get; init; } = 8080;

    public int HttpsPort { get; init; } = 8443;

    public Uri CloudflareSource { get; init; } = CloudflareNetworks.Published;

    /// <summary>Where acme.sh is; null for where its own installer puts it.</summary>
    public string? AcmeFolder { get; init; }

    public int ParallelDeploys { get; init; } = Math.Max(1, Environment.ProcessorCount / 2);

    public bool Supervise { get; init; } = true;
}
