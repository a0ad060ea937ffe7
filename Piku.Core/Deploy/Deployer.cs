using System.Net;
using Piku.Core.Model;

namespace Piku.Core.Deploy;

/// <summary>Who wants something of an app.</summary>
/// <param name="Name">As other people will read it: "alice".</param>
/// <param name="Address">Where they are; null for somebody on the server itself.</param>
public sealed record Deployer(string Name, IPAddress? Address = null)
{
    /// <summary>Which apps they may know of: no other's name is said to them, or stands in the log of their release.</summary>
    public Func<AppName, bool> MaySee { get; init; } = _ => true;

    /// <summary>What an app is called to them.</summary>
    public string NameOf(AppName app) => MaySee(app) ? $"the app '{app}'" : "another app";

    /// <summary>The address as nginx's <c>allow</c> takes it: an IPv4 one as such, an IPv6 one without its zone.</summary>
    public string? AllowedAddress => Address switch
    {
        null => null,
        { IsIPv4MappedToIPv6: true } => Address.MapToIPv4().ToString(),
        _ => new IPAddress(Address.GetAddressBytes()).ToString(),
    };

    public override string ToString() => Name;
}
