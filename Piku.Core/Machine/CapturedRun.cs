namespace Piku.Core.Machine;

/// <summary>A program's end and what it wrote, as text.</summary>
public sealed record CapturedRun(ExitStatus Status, string Output, string Error);
