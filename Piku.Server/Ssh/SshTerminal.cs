using System.Collections.Immutable;
using System.Threading.Channels;

namespace Piku.Server.Ssh;

/// <summary>The size of the client's window (RFC 4254, section 6.2); 0 where it is not known.</summary>
internal readonly record struct SshWindowSize(uint Columns, uint Rows, uint PixelWidth, uint PixelHeight);

/// <summary>The terminal at which a client sits (RFC 4254, section 6.2). What it is at the other end is the handler's business.</summary>
/// <param name="Type">The client's TERM, which may be empty; letters, digits and <c>+-._</c> only.</param>
/// <param name="Modes">Opcodes with their arguments (section 8), in the order sent.</param>
internal sealed record SshTerminal(string Type, SshWindowSize Size, ImmutableArray<KeyValuePair<byte, uint>> Modes)
{
    /// <summary>New sizes of the window (section 6.7). Whoever reads slowly gets only the latest.</summary>
    public required ChannelReader<SshWindowSize> Resizes { get; init; }
}
