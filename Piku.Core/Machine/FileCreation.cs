namespace Piku.Core.Machine;

/// <summary>What files and folders can be at most when they are made: umask(2), of the process and of all that it starts.</summary>
public static class FileCreation
{
    /// <summary>For nobody but their owner.</summary>
    public static void BePrivate() => _ = Libc.SetMask(0b000_111_111);
}
