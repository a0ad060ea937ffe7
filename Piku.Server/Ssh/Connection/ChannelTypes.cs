using System.Collections.Frozen;
using Piku.Server.Ssh.Wire;

namespace Piku.Server.Ssh.Connection;

/// <summary>Accepts or refuses a channel of one type.</summary>
/// <param name="reader">The fields of that type.</param>
internal delegate void OpenChannel(ChannelOpening opening, ref SshReader reader);

/// <summary>A kind of channel.</summary>
/// <param name="Most">How many of them a connection may have open at once.</param>
/// <param name="Window">Data that the client may send before it is consumed, in bytes.</param>
internal sealed record ChannelType(OpenChannel Open, Func<SshLimits, int> Most, Func<SshLimits, int> Window);

/// <summary>The kinds of channels that a client may open.</summary>
internal static class ChannelTypes
{
    public static readonly FrozenDictionary<string, ChannelType> Table = new Dictionary<string, ChannelType>
    {
        ["session"] = new(SessionChannel.Open, limits => limits.SessionsPerConnection, limits => limits.Window),
        ["direct-tcpip"] = new(ForwardChannel.Open, limits => limits.ForwardsPerConnection, limits => limits.ForwardWindow),
    }.ToFrozenDictionary(StringComparer.Ordinal);
}
