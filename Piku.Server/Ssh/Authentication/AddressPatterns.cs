using System.Buffers;
using System.Collections.Immutable;
using System.IO.Enumeration;
using System.Net;
using System.Net.Sockets;

namespace Piku.Server.Ssh.Authentication;

/// <summary>
/// The pattern list of <c>from=</c> (ssh_config(5), PATTERNS): addresses, networks (<c>10.0.0.0/8</c>), wildcards
/// (<c>192.168.0.?</c>), separated by commas. <c>!</c> excludes, and what is excluded anywhere in the list is out.
/// Host names are not looked up: who owns an address would decide what its name is.
/// </summary>
internal sealed record AddressPatterns
{
    private static readonly SearchValues<char> WildcardLetters = SearchValues.Create("0123456789abcdefABCDEF.:*?");

    /// <summary>Nobody.</summary>
    public static readonly AddressPatterns None = new([]);

    /// <summary>This machine itself.</summary>
    public static readonly AddressPatterns Loopback = Parse("127.0.0.0/8,::1");

    private readonly ImmutableArray<AddressPattern> _patterns;

    private AddressPatterns(ImmutableArray<AddressPattern> patterns) => _patterns = patterns;

    /// <exception cref="FormatException">A pattern is none, or the name of a host.</exception>
    public static AddressPatterns Parse(string text) => new([.. text.Split(',').Select(ParseOne)]);

    public bool Contains(IPAddress address)
    {
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        var matching = _patterns.Where(pattern => pattern.Matches(plain)).ToList();
        return matching.Count > 0 && !matching.Exists(pattern => pattern.Excludes);
    }

    public override string ToString() => string.Join(',', _patterns);

    private static AddressPattern ParseOne(string text)
    {
        var excludes = text.StartsWith('!');
        var pattern = excludes ? text[1..] : text;
        if (IPAddress.TryParse(pattern, out var address) && IsWhole(pattern, address))
            return new(excludes, new IPNetwork(address, address.GetAddressBytes().Length * 8), null);
        if (pattern.Split('/') is [var start, _])
        {
            // As for sshd, 10.0.0.1/8 is a mistake: .NET would read 10.0.0.0/8.
            return IPNetwork.TryParse(pattern, out var network) && network.BaseAddress.Equals(IPAddress.Parse(start))
                ? new(excludes, network, null)
                : throw new FormatException($"'{pattern}' is not a network");
        }
        return pattern.Length > 0 && !pattern.AsSpan().ContainsAnyExcept(WildcardLetters) && pattern.AsSpan().ContainsAny('*', '?')
            ? new(excludes, null, pattern)
            : throw new FormatException($"'{pattern}' is not an address, and names are not looked up");
    }

    /// <summary>.NET reads "10.1" as 10.0.0.1; here an IPv4 address has its four parts.</summary>
    private static bool IsWhole(string text, IPAddress address) =>
        address.AddressFamily is AddressFamily.InterNetworkV6 || text.Count(c => c == '.') == 3;

    private sealed record AddressPattern(bool Excludes, IPNetwork? Network, string? Wildcard)
    {
        public override string ToString() => $"{(Excludes ? "!" : "")}{Network?.ToString() ?? Wildcard}";

        public bool Matches(IPAddress address) =>
            Network?.Contains(address) ?? FileSystemName.MatchesSimpleExpression(Wildcard, address.ToString());
    }
}
