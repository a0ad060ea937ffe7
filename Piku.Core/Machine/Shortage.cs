namespace Piku.Core.Machine;

/// <summary>Failures that are nobody's fault: the machine lacks something, and will have it again.</summary>
public static class Shortage
{
    private const string FullDisk = "there is no space left on the server's disk: free some and try again.";
    private const string ManyFiles = "the server has too many files open: try again when it has less to do.";

    /// <summary>What to say of such a failure to a person; null for any other.</summary>
    public static string? Of(Exception failure) =>
        AtomicFile.IsFull(failure) ? FullDisk
        : failure is IOException { HResult: Libc.TooManyFiles or Libc.TooManyFilesOfAll } ? ManyFiles
        : null;
}
