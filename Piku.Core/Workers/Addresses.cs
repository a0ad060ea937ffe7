using System.Collections.Immutable;
using System.Text;
using Piku.Core.Model;
using Piku.Core.Runtimes;
using Piku.Core.Settings;

namespace Piku.Core.Workers;

/// <summary>Where an app's processes answer: a socket, or one TCP port for each process of <c>web</c> (D14).</summary>
/// <param name="Kind">The one kind of the Procfile that answers requests; <c>static</c> when nginx does alone.</param>
/// <param name="SocketPath">With a site, where wsgi and jwsgi answer; else null.</param>
/// <param name="Host">What the processes bind; IPv6 in brackets.</param>
/// <param name="Ports">At least one; empty with a socket.</param>
/// <param name="GatewayPath">With a site, the socket by which nginx reaches kinds that answer HTTP at their port; else null.</param>
internal sealed record Addresses(string Kind, string? SocketPath, string Host, ImmutableArray<int> Ports, string? GatewayPath = null)
{
    /// <summary>Longest path of a Unix socket in bytes (unix(7), sun_path).</summary>
    private const int MaxSocketPath = 107;

    /// <summary>Those of workers that answer requests.</summary>
    public static readonly string[] Kinds = ["web", "wsgi", "jwsgi", "rwsgi", "php"];

    /// <summary>True for a kind of worker that answers requests, if there is one in the Procfile.</summary>
    public static bool AreOf(string kind) => Kinds.Contains(kind);

    /// <summary>Of these, those that uWSGI itself serves: only by its own protocol are they told the truth of a request, such as its scheme.</summary>
    private static readonly string[] Uwsgis = ["wsgi", "jwsgi", "rwsgi", "php"];

    /// <summary>True when they speak uWSGI's protocol with nginx.</summary>
    public bool AreUwsgi => (SocketPath ?? GatewayPath) is not null;

    /// <summary>The addresses at which nginx reaches them.</summary>
    public ImmutableArray<string> Backends => GatewayPath is null ? Servers : [$"unix://{GatewayPath}"];

    /// <summary>The addresses as nginx takes them.</summary>
    public ImmutableArray<string> Servers => SocketPath is null ? [.. Ports.Select(port => $"{Host}:{port}")] : [$"unix://{SocketPath}"];

    /// <summary>The addresses that the facts and the app's environment give, or null for an app that answers nobody.</summary>
    /// <exception cref="UserError">Two kinds want the same address, or there are not enough ports.</exception>
    public static Addresses? Of(DeployFacts facts, EnvMap environment, bool hasSite)
    {
        var kinds = Kinds.Where(kind => facts.HasWorker(kind)).ToArray();
        if (kinds.Length > 1)
            throw new UserError($"The Procfile has both '{kinds[0]}' and '{kinds[1]}', and only one can answer at the app's address; rename or remove one.");
        if (kinds.Length == 0 && !facts.HasWorker("static"))
            return null;
        var kind = kinds.FirstOrDefault("static");
        var host = AppSettings.BindAddress.In(environment);
        return hasSite && kind is "wsgi" or "jwsgi"
            ? new Addresses(kind, SocketPathOf(facts), host, [])
            : new Addresses(kind, null, host, Take(facts, AppSettings.Port.In(environment), kind == "web" ? facts.Scaling.Count(kind) : 1),
                hasSite && Uwsgis.Contains(kind) ? SocketPathOf(facts) : null);
    }

    /// <summary>What is too long for the second stand is refused on the first, or only the second deploy would fail.</summary>
    private static string SocketPathOf(DeployFacts facts) =>
        facts.Paths.NginxSocket(facts.App, Stand.Second) is var longest && Encoding.UTF8.GetByteCount(longest) <= MaxSocketPath
            ? facts.Paths.NginxSocket(facts.App, facts.Stand)
            : throw new UserError($"The path of the app's socket, {longest}, has more than {MaxSocketPath} bytes; give the app a shorter name.");

    private static ImmutableArray<int> Take(DeployFacts facts, int first, int count)
    {
        if (facts.PortUser is { } user)
            throw new UserError($"Port {first} is in use by {user}: set {AppSettings.Port.Key} to another one, or leave it out, and a free one is taken.");
        ImmutableArray<int> ports = [first, .. facts.FreePorts.Where(port => port != first).Take(count - 1)];
        return ports.Length >= count ? ports : throw new UserError($"There are not {count} free TCP ports for the app's web processes.");
    }
}
