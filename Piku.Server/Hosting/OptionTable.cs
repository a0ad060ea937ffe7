using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using Piku.Core.Formats;
using Piku.Core.Model;
using Piku.Server.Ssh;
using Piku.Server.Ssh.Admission;
using Piku.Server.Ssh.Authentication;
using Piku.Server.Ssh.Crypto;
using Tomlyn.Model;

namespace Piku.Server.Hosting;

/// <summary>One option of the daemon.</summary>
/// <param name="Key">Its place in <c>piku.toml</c>: <c>table.key</c>.</param>
/// <param name="Variable">The environment variable that overrides it, if there is one.</param>
/// <param name="Summary">What it does, with its default.</param>
/// <param name="Apply">Reads the value, given as text (of a list, its items separated by commas).</param>
internal sealed record Option(string Key, string? Variable, string Summary, Func<PikuOptions, string, PikuOptions> Apply);

/// <summary>Every option of the daemon. Adding one is adding an entry here and a property to <see cref="PikuOptions"/>.</summary>
internal static class OptionTable
{
    /// <summary>A week; and more than anyone needs of anything on one connection.</summary>
    private const int MostSeconds = 7 * 24 * 3600, MostCount = 1000;

    /// <summary>In bytes: RFC 4253, section 6.1, obliges everyone to take the one; a length that a stranger makes up costs at most the other.</summary>
    private const int ShortestPacket = 35_000, LongestPacket = 1024 * 1024;

    /// <summary>In bytes, of a channel: it may fill for each one that nobody reads.</summary>
    private const int LargestWindow = 64 * 1024 * 1024;

    /// <summary>Fewer, and a transfer is nothing but changes of keys; more than a gigabyte RFC 4253, section 9, advises against.</summary>
    private const long FewestRekeyBytes = 1024 * 1024, MostRekeyBytes = 1L << 30;

    public static readonly ImmutableArray<Option> All =
    [
        new("ssh.port", "PIKU_SSH_PORT", "TCP port for ssh and git; 2222.", (options, text) => options with { SshPort = Port(text) }),
        new("ssh.addresses", null, "Addresses to listen on for ssh; [\"0.0.0.0\", \"::\"].", (options, text) => options with { SshAddresses = Addresses(text) }),
        new("ssh.algorithms", null, "Ciphers, key exchanges and host keys: \"default\", or \"compatible\" with what older clients need (docs/clients.md).", (options, text) => options with { SshAlgorithms = Algorithms(text) }),
        new("ssh.keepalive_interval", null, "Seconds of silence after which a client is asked for a sign of life, 0 for never; 60.", (options, text) => Limits(options, limits => limits with { KeepAliveInterval = Seconds(text) })),
        new("ssh.keepalive_misses", null, "Questions without an answer until a client counts as gone; 3, as sshd's ClientAliveCountMax.", (options, text) => Limits(options, limits => limits with { KeepAliveMisses = Count(text) })),
        new("ssh.idle_timeout", null, "Seconds until a connection that nothing is done with ends, 0 for never; 3600.", (options, text) => Limits(options, limits => limits with { IdleTimeout = Seconds(text) })),
        new("ssh.login_grace", null, "Seconds from the first byte to a verified key; 60, half of sshd's LoginGraceTime.", (options, text) => Limits(options, limits => limits with { LoginGrace = Seconds(text, fewest: 1) })),
        new("ssh.tries", null, "Refused keys until a connection ends; 6, as sshd's MaxAuthTries.", (options, text) => Limits(options, limits => limits with { AuthenticationTries = Count(text) })),
        new("ssh.startups", null, "Connections that have not authenticated yet, as sshd's MaxStartups: from how many on some are refused, what percentage at first, and at how many all; \"100:30:200\". Whoever comes from an address with fewer takes the place of one from the address with the most.", (options, text) => Limits(options, limits => limits with { Startups = Startups.TryParse(text) ?? throw new FormatException("three numbers such as 100:30:200") })),
        new("ssh.startups_per_address", null, "Of those, how many one address (one /64 of IPv6) may have; 60.", (options, text) => Limits(options, limits => limits with { StartingConnectionsPerAddress = Count(text) })),
        new("ssh.connections_per_address", null, "All connections that one address may have; 100.", (options, text) => Limits(options, limits => limits with { ConnectionsPerAddress = Count(text) })),
        new("ssh.penalties.failure", null, "Seconds that an address is a step nearer to being blocked for each connection on which no key was right; 5, as sshd's PerSourcePenalties authfail.", (options, text) => Penalties(options, penalties => penalties with { Failure = Seconds(text) })),
        new("ssh.penalties.silence", null, "The same for a connection that let ssh.login_grace pass; 20, as grace-exceeded.", (options, text) => Penalties(options, penalties => penalties with { Silence = Seconds(text) })),
        new("ssh.penalties.no_try", null, "The same for a connection without a try, as a scanner's; 1, as noauth.", (options, text) => Penalties(options, penalties => penalties with { NoTry = Seconds(text) })),
        new("ssh.penalties.threshold", null, "The sum of seconds at which an address is blocked, until they have passed; 15, as min.", (options, text) => Penalties(options, penalties => penalties with { Threshold = Seconds(text) })),
        new("ssh.penalties.longest", null, "Seconds of the longest block; 600, as max.", (options, text) => Penalties(options, penalties => penalties with { Longest = Seconds(text) })),
        new("ssh.penalties.exempt", null, "Networks that are never blocked; [\"127.0.0.0/8\", \"::1\"].", (options, text) => Penalties(options, penalties => penalties with { Exempt = Networks(text) })),
        new("ssh.proxy_from", null, "Networks of proxies whose connections begin with a header of the PROXY protocol, version 2, which says whose they are, and are refused without; [].", (options, text) => options with { SshProxies = Networks(text) }),
        new("ssh.proxy_within", null, "Seconds that a proxy has for its header; 5.", (options, text) => Limits(options, limits => limits with { ProxyHeaderWithin = Seconds(text, fewest: 1) })),
        new("ssh.stop_grace", null, "Seconds that running deploys and other commands have when the daemon is told to end, before they are undone; 30.", (options, text) => Limits(options, limits => limits with { StopGrace = Seconds(text) })),
        new("ssh.sessions", null, "Commands at once on one connection; 10, as sshd's MaxSessions.", (options, text) => Limits(options, limits => limits with { SessionsPerConnection = Count(text) })),
        new("ssh.forwards", null, "Forwarded connections (ssh -L) at once on one connection; 64.", (options, text) => Limits(options, limits => limits with { ForwardsPerConnection = Count(text) })),
        new("ssh.forward_connect", null, "Seconds to reach the port that a connection is forwarded to; 5.", (options, text) => Limits(options, limits => limits with { ForwardConnect = Seconds(text, fewest: 1) })),
        new("ssh.packets_before_login", null, "Packets that a client may send until its key is verified; 100, of which OpenSSH needs about 12 and two for each further key.", (options, text) => Limits(options, limits => limits with { PacketsBeforeAuthentication = Count(text) })),
        new("ssh.packet_length_before_login", null, "Bytes of the longest packet until then; 35000, which RFC 4253 obliges everyone to take.", (options, text) => Limits(options, limits => limits with { PacketLengthBeforeAuthentication = (int)Bytes(text, ShortestPacket, LongestPacket) })),
        new("ssh.packet_length", null, "Bytes of the longest packet after it; 262144, as OpenSSH's.", (options, text) => Limits(options, limits => limits with { PacketLength = (int)Bytes(text, 2 * limits.DataLength, LongestPacket) })),
        new("ssh.window", null, "Bytes that a client may send to a command before it has read them; 2097152, as OpenSSH's.", (options, text) => Limits(options, limits => limits with { Window = (int)Bytes(text, limits.DataLength, LargestWindow) })),
        new("ssh.forward_window", null, "The same for a forwarded connection; 262144.", (options, text) => Limits(options, limits => limits with { ForwardWindow = (int)Bytes(text, limits.DataLength, LargestWindow) })),
        new("ssh.rekey_bytes", null, "Bytes either way after which keys are changed; 1073741824, RFC 4253's gigabyte, and no more.", (options, text) => Limits(options, limits => limits with { RekeyBytes = Bytes(text, FewestRekeyBytes, MostRekeyBytes) })),
        new("ssh.rekey_after", null, "Seconds after which keys are changed; 3600, RFC 4253's hour.", (options, text) => Limits(options, limits => limits with { RekeyAfter = Seconds(text, fewest: 1) })),
        new("ssh.rekey_within", null, "Seconds that a client has for a change of keys; 60.", (options, text) => Limits(options, limits => limits with { RekeyWithin = Seconds(text, fewest: 1) })),
        new("ssh.environment_variables", null, "Environment variables that a session may have; 64.", (options, text) => Limits(options, limits => limits with { EnvironmentVariables = Count(text) })),
        new("ssh.environment_length", null, "Characters of the name and value of one; 4096.", (options, text) => Limits(options, limits => limits with { EnvironmentVariableLength = (int)Bytes(text, 1, ShortestPacket) })),
        new("ssh.session_end", null, "Seconds that a command has to end after its client has gone, or its time is over; 10.", (options, text) => Limits(options, limits => limits with { SessionEnd = Seconds(text, fewest: 1) })),
        new("ssh.farewell", null, "Seconds for the last words of a connection to arrive; 2.", (options, text) => Limits(options, limits => limits with { Farewell = Seconds(text, fewest: 1) })),
        new("nginx.http_port", "PIKU_HTTP_PORT", "TCP port of the apps' sites for http; 8080.", (options, text) => options with { HttpPort = Port(text) }),
        new("nginx.https_port", "PIKU_HTTPS_PORT", "TCP port of the apps' sites for https; 8443.", (options, text) => options with { HttpsPort = Port(text) }),
        new("nginx.trusted_proxies", null, "Networks of proxies in front of nginx, such as a load balancer that ends TLS: their X-Forwarded-For gives the client's address, and their X-Forwarded-Proto and X-Forwarded-Port the scheme and port that it used. From anybody else these headers count for nothing; [].", (options, text) => options with { TrustedProxies = PlainNetworks(text) }),
        new("nginx.cloudflare_url", "PIKU_CLOUDFLARE_URL", "Where the list of Cloudflare's networks is, for NGINX_CLOUDFLARE_ACL; \"https://api.cloudflare.com/client/v4/ips\".", (options, text) => options with { CloudflareSource = Url(text) }),
        new("acme.folder", "ACME_ROOT", "Where acme.sh is installed, which gets the sites' certificates; ~/.acme.sh.", (options, text) => options with { AcmeFolder = Folder(text) }),
        new("deploy.parallel", null, "Apps that are built at once, others wait; one for two processors, and at least 1.", (options, text) => options with { ParallelDeploys = Count(text) }),
        new("apps.users", null, "Run each app as a unix user of its own, out of those that the system has given piku's user (docs/users.md); false.", (options, text) => options with { AppUsers = Boolean(text) }),
        new("services.supervise", null, "Run uWSGI's emperor and nginx as children; true. With false, systemd runs them.", (options, text) => options with { Supervise = Boolean(text) }),
    ];

    /// <summary>The options of an installation.</summary>
    /// <param name="toml">The text of <c>piku.toml</c>, or null without one.</param>
    /// <param name="variable">Looks up an environment variable.</param>
    /// <exception cref="UserError">A value or a key is not understood.</exception>
    public static PikuOptions Read(string? toml, string fileName, Func<string, string?> variable)
    {
        var options = new PikuOptions();
        foreach (var (key, value) in toml is null ? [] : Flatten("", Toml.Parse(toml, fileName)))
        {
            var option = All.FirstOrDefault(option => option.Key == key)
                ?? throw new UserError($"{fileName}: there is no option '{key}'; the options are {string.Join(", ", All.Select(known => known.Key))}.");
            options = Apply(option, options, value, $"{fileName}: '{key}'");
        }
        foreach (var option in All)
        {
            if (option.Variable is not null && variable(option.Variable) is { Length: > 0 } value)
                options = Apply(option, options, value, option.Variable);
        }
        return options;
    }

    /// <summary>The page of all options, in Markdown.</summary>
    public static string Document() => """
        # Options of the daemon

        They stand in `PIKU_ROOT/piku.toml` (`~/.piku/piku.toml`), `ssh.port` as `port` under `[ssh]`; the daemon reads them
        when it starts. A variable of its environment comes before the file.

        | option | variable | what it does; its default |
        |---|---|---|

        """ + string.Concat(All.Select(option => $"| `{option.Key}` | {(option.Variable is { } name ? $"`{name}`" : "")} | {option.Summary} |\n"));

    private static PikuOptions Apply(Option option, PikuOptions options, string value, string where)
    {
        try
        {
            return option.Apply(options, value);
        }
        catch (FormatException wrong)
        {
            throw new UserError($"{where} is '{value}', but must be {wrong.Message}.", wrong);
        }
    }

    private static IEnumerable<(string Key, string Value)> Flatten(string prefix, TomlTable table) =>
        table.SelectMany(pair => pair.Value is TomlTable inner
            ? Flatten($"{prefix}{pair.Key}.", inner)
            : [($"{prefix}{pair.Key}", Text(pair.Value))]);

    private static string Text(object value) => value switch
    {
        TomlArray items => string.Join(',', items.Select(item => Text(item!))),
        bool yes => yes ? "true" : "false",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    private static int Port(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and <= 65535
            ? port
            : throw new FormatException("a port from 1 to 65535");

    private static Uri Url(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url) && url is { Scheme: "https" or "http" }
            ? url
            : throw new FormatException("an address that begins with https://");

    private static string Folder(string text) =>
        Path.IsPathRooted(text) ? Path.TrimEndingDirectorySeparator(text) : throw new FormatException("the absolute path of a folder");

    private static AlgorithmSuite Algorithms(string text) => text switch
    {
        "default" => AlgorithmSuite.Default,
        "compatible" => AlgorithmSuite.Compatible,
        _ => throw new FormatException("default or compatible"),
    };

    private static PikuOptions Limits(PikuOptions options, Func<SshLimits, SshLimits> change) =>
        options with { SshLimits = change(options.SshLimits) };

    private static PikuOptions Penalties(PikuOptions options, Func<PenaltyLimits, PenaltyLimits> change) =>
        Limits(options, limits => limits with { Penalties = change(limits.Penalties) });

    private static TimeSpan Seconds(string text, int fewest = 0) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds >= fewest && seconds <= MostSeconds
            ? TimeSpan.FromSeconds(seconds)
            : throw new FormatException($"a number of seconds from {fewest} to {MostSeconds}");

    private static AddressPatterns Networks(string text)
    {
        try
        {
            return text.Length == 0 ? AddressPatterns.None : AddressPatterns.Parse(text);
        }
        catch (FormatException wrong)
        {
            throw new FormatException("a list of addresses and networks, such as [\"10.0.0.0/8\"]", wrong);
        }
    }

    /// <summary>Without the patterns that <see cref="Networks"/> knows, which nginx does not.</summary>
    private static ImmutableArray<string> PlainNetworks(string text)
    {
        _ = Networks(text);
        ImmutableArray<string> networks = [.. text.Split(',', StringSplitOptions.RemoveEmptyEntries)];
        return networks.All(network => IPAddress.TryParse(network, out _) || IPNetwork.TryParse(network, out _)) ? networks
            : throw new FormatException("a list of addresses and networks, such as [\"10.0.0.0/8\"]");
    }

    private static int Count(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count is > 0 and <= MostCount
            ? count
            : throw new FormatException($"a number from 1 to {MostCount}");

    private static long Bytes(string text, long fewest, long most) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var bytes) && bytes >= fewest && bytes <= most
            ? bytes
            : throw new FormatException($"a number from {fewest} to {most}");

    private static bool Boolean(string text) =>
        bool.TryParse(text, out var value) ? value : throw new FormatException("true or false");

    private static ImmutableArray<IPAddress> Addresses(string text) =>
    [
        .. text.Split(',').Select(item => IPAddress.TryParse(item, out var address)
            ? address
            : throw new FormatException("a list of IP addresses")),
    ];
}
