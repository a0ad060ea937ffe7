using System.Collections.Frozen;
using Piku.Server.Ssh.Wire;

namespace Piku.Server.Ssh.Connection;

/// <summary>Accepts or refuses a channel of one type.</summary>
/// <param name="reader">The fields of that type.</param>
internal delegate void OpenChannel(ChannelOpening opening, ref SshReader reader);

/// <summary>The kinds of channels that a client may open.</summary>
internal static class ChannelTypes
{
    public static readonly FrozenDictionary<string, OpenChannel> Table = new Dictionary<string, OpenChannel>
    {
        ["session"] = SessionChannel.Open,
    }.ToFrozenDictionary(StringComparer.Ordinal);
}
