using System.Collections.Immutable;

namespace Piku.Core.Machine;

/// <summary>How large a terminal's window is.</summary>
public readonly record struct TerminalSize(ushort Columns, ushort Rows, ushort PixelWidth = 0, ushort PixelHeight = 0);

/// <summary>What a terminal is at first.</summary>
/// <param name="Type">The value of TERM, such as <c>xterm-256color</c>.</param>
/// <param name="Modes">Opcodes and arguments of RFC 4254, section 8; those that this system does not have do nothing.</param>
public sealed record TerminalSettings(string Type, TerminalSize Size, ImmutableArray<KeyValuePair<byte, uint>> Modes);
