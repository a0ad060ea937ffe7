namespace Piku.Core.Machine;

/// <summary>Failures that are nobody's fault: the machine lacks something, and will have it again.</summary>
public static class Shortage
{
    /// <summary>In bytes: with less, a program that could not write a file will have found the disk full.</summary>
    private const long HardlyAny = 64 * 1024;

    private const string FullDisk = "there is no space left on the server's disk: free some and try again.";
    private const string ManyFiles = "the server has too many files open: try again when it has less to do.";

    /// <summary>What to say of such a failure to a person; null for any other.</summary>
    public static string? Of(Exception failure) =>
        AtomicFile.IsFull(failure) ? FullDisk
        : failure is IOException { HResult: Libc.TooManyFiles or Libc.TooManyFilesOfAll } ? ManyFiles
        : null;

    /// <summary>What to say of a program that failed and did not say that the disk is full, if it is; null when there is room.</summary>
    /// <param name="folder">Where it was to write.</param>
    public static string? OfDisk(string folder)
    {
        try
        {
            return new DriveInfo(folder).AvailableFreeSpace < HardlyAny ? FullDisk : null;
        }
        catch (Exception unknown) when (unknown is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
