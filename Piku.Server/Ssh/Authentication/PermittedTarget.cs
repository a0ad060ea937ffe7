using System.Globalization;

namespace Piku.Server.Ssh.Authentication;

/// <summary>One <c>permitopen="host:port"</c>: a target of port forwarding. Hosts are compared as they are written.</summary>
/// <param name="Host"><c>*</c> for any.</param>
/// <param name="Port">Null for any.</param>
internal sealed record PermittedTarget(string Host, int? Port)
{
    /// <summary>Reads <c>host:port</c>; an IPv6 address is in brackets, and <c>*</c> stands for any.</summary>
    /// <exception cref="FormatException">It is not that.</exception>
    public static PermittedTarget Parse(string text)
    {
        var colon = text.LastIndexOf(':');
        var host = colon < 0 ? "" : text[..colon];
        if (host.StartsWith('[') && host.EndsWith(']'))
            host = host[1..^1];
        else if (host.Contains(':', StringComparison.Ordinal))
            host = "";
        if (host.Length == 0)
            throw new FormatException("it needs host:port");
        return new(host, text[(colon + 1)..] switch
        {
            "*" => null,
            var digits when int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and <= 65535 => port,
            _ => throw new FormatException("its port is none"),
        });
    }

    public bool Covers(string host, int port) =>
        (Host == "*" || Host.Equals(host, StringComparison.OrdinalIgnoreCase)) && (Port ?? port) == port;
}
