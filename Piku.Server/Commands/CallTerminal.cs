using Piku.Core.Machine;

namespace Piku.Server.Commands;

/// <summary>The terminal at which the caller sits, for a command that gives it to a program.</summary>
/// <param name="Input">What is typed, key by key.</param>
/// <param name="Output">What is shown, byte by byte.</param>
/// <param name="Resizes">New sizes of the window.</param>
internal sealed record CallTerminal(Stream Input, Stream Output, TerminalSettings Settings, IAsyncEnumerable<TerminalSize> Resizes);
