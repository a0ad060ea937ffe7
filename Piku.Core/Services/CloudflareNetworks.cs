using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Core.Services;

/// <summary>
/// The networks that Cloudflare's servers ask from, as it publishes them. The last list that could be fetched is kept
/// on disk, for the time when it cannot be (D10). A list is taken whole or not at all.
/// </summary>
/// <param name="source">Where the list is, as <c>GET /ips</c> of Cloudflare's API has it.</param>
public sealed class CloudflareNetworks(PikuPaths paths, Uri source)
{
    public static readonly Uri Published = new("https://api.cloudflare.com/client/v4/ips");

    /// <summary>A deploy waits for it.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>The list has two dozen networks, in 1 KB.</summary>
    private const int MaxBytes = 64 * 1024;

    /// <summary>Today's list, or else the last one known.</summary>
    public async Task<KnownNetworks> ReadAsync(CancellationToken cancellationToken)
    {
        var (networks, problem) = await FetchAsync(cancellationToken);
        if (networks.IsDefault)
            return new(Kept(), problem);
        AtomicFile.Write(paths.CloudflareNetworks, string.Concat(networks.Select(network => network + "\n")), AtomicFile.Secret);
        return new(networks, null);
    }

    private async Task<(ImmutableArray<string> Networks, string? Problem)> FetchAsync(CancellationToken cancellationToken)
    {
        using var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false };
        using var http = new HttpClient(handler) { Timeout = Patience, MaxResponseContentBufferSize = MaxBytes };
        try
        {
            var answer = await http.GetByteArrayAsync(source, cancellationToken);
            return TryParse(answer, out var networks) ? (networks, null) : (default, "its answer is no list of networks");
        }
        catch (HttpRequestException failure)
        {
            return (default, Reason(failure));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return (default, $"no answer within {Patience.TotalSeconds:0} seconds");
        }
    }

    private string Reason(HttpRequestException failure) => failure switch
    {
        { StatusCode: { } status } => $"the answer is {(int)status}",
        { HttpRequestError: HttpRequestError.NameResolutionError } => $"the name {source.Host} is not known here",
        { HttpRequestError: HttpRequestError.ConnectionError } => $"no connection to {source.Authority}",
        { HttpRequestError: HttpRequestError.SecureConnectionError } => $"{source.Host} has no certificate that is trusted here",
        { HttpRequestError: HttpRequestError.ConfigurationLimitExceeded } => "its answer is too long",
        _ => "its answer makes no sense",
    };

    private ImmutableArray<string>? Kept()
    {
        string[] lines = (AtomicFile.ReadIfExists(paths.CloudflareNetworks) ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return lines.Length > 0 && lines.All(line => IPNetwork.TryParse(line, out _)) ? [.. lines] : null;
    }

    /// <summary>IPv4 first. False for anything that is not the list, also for one that lets everybody in or nobody.</summary>
    private static bool TryParse(ReadOnlyMemory<byte> json, out ImmutableArray<string> networks)
    {
        networks = default;
        try
        {
            using var document = JsonDocument.Parse(json);
            if (!document.RootElement.TryGetProperty("result", out var result)
                || !TryRead(result, "ipv4_cidrs", AddressFamily.InterNetwork, out var first)
                || !TryRead(result, "ipv6_cidrs", AddressFamily.InterNetworkV6, out var second))
                return false;
            networks = [.. first, .. second];
            return true;
        }
        catch (Exception wrong) when (wrong is JsonException or InvalidOperationException)
        {
            return false;
        }
    }

    /// <exception cref="InvalidOperationException">An element is of another type.</exception>
    private static bool TryRead(JsonElement result, string name, AddressFamily family, [NotNullWhen(true)] out List<string>? networks)
    {
        networks = [];
        if (!result.TryGetProperty(name, out var list))
            return false;
        foreach (var item in list.EnumerateArray())
        {
            if (!IPNetwork.TryParse(item.GetString(), out var network) || network.BaseAddress.AddressFamily != family || network.PrefixLength == 0)
                return false;
            networks.Add(network.ToString());
        }
        return networks.Count > 0;
    }
}

/// <summary>What is known of Cloudflare's networks.</summary>
/// <param name="Networks">CIDR; null when none are known.</param>
/// <param name="Problem">Why these are not today's, as a part of a sentence; null when they are.</param>
public sealed record KnownNetworks(ImmutableArray<string>? Networks, string? Problem);
