namespace Piku.Core.Machine;

/// <summary>Descriptor 1 of this process.</summary>
public static class StandardOutput
{
    /// <summary>True when it is a pipe whose reader has gone: the next write would fail.</summary>
    public static bool HasNoReader => Libc.HasNoReader(1);
}
