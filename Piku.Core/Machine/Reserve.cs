using Piku.Core.Model;

namespace Piku.Core.Machine;

/// <summary>
/// Room on a disk that is kept for what must be written even when the disk is full: blocks, and names (inodes) of files.
/// Whoever is to write frees it first. Where the file system cannot set blocks aside (fallocate(2)), it is less.
/// </summary>
public static class Reserve
{
    private static readonly FileStreamOptions New = new() { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0 };

    /// <summary>Sets room aside.</summary>
    /// <param name="folder">What it is called; made, and gone when the room is used.</param>
    /// <exception cref="UserError">There is not so much; nothing is set aside.</exception>
    public static void Take(string folder, long bytes, int names)
    {
        Free(folder);
        try
        {
            Directory.CreateDirectory(folder);
            new FileStream(Path.Combine(folder, "bytes"), new FileStreamOptions { Mode = New.Mode, Access = New.Access, PreallocationSize = bytes }).Dispose();
            for (var name = 0; name < names; name++)
                new FileStream(Path.Combine(folder, $"{name}"), New).Dispose();
        }
        catch (IOException full)
        {
            Free(folder);
            throw new UserError($"There is no space left on the server's disk to keep {bytes >> 10} KiB and {names} files aside: free some and try again.", full);
        }
    }

    /// <summary>Gives the room back, if there is some.</summary>
    public static void Free(string folder)
    {
        try
        {
            if (Directory.Exists(folder))
                Directory.Delete(folder, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
            // Another process gives it back too.
        }
    }
}
