using System.Globalization;
using Piku.Core.Machine;

namespace Piku.Tests.EndToEnd;

/// <summary>A disk of its own under an installation's root, small enough to fill (tmpfs(5)).</summary>
internal sealed class SmallDisk
{
    private const int Megabytes = 160, Names = 20_000;

    private readonly string _folder;

    private SmallDisk(string folder) => _folder = folder;

    private string Filler => Path.Combine(_folder, "filler");

    /// <summary>Puts an empty disk where the root of an installation will be.</summary>
    public static async Task<SmallDisk> MountAsync(PikuInstance piku)
    {
        Directory.CreateDirectory(piku.Paths.Root);
        await Programs.RunAsync("mount", ["-t", "tmpfs", "-o", $"size={Megabytes}m,nr_inodes={Names},mode=755", "tmpfs", piku.Paths.Root]);
        await PikuInstance.GiveToDaemonAsync(piku.Paths.Root);
        return new(piku.Paths.Root);
    }

    /// <summary>Takes all room but so much.</summary>
    /// <param name="bytes">In pages of 4 KiB.</param>
    public void FillBut(long bytes)
    {
        Directory.CreateDirectory(Filler);
        for (var isFilled = false; !isFilled;)
        {
            var room = new DriveInfo(_folder).AvailableFreeSpace - bytes;
            try
            {
                using var file = new FileStream(Path.Combine(Filler, "bytes"), new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, PreallocationSize = room });
                isFilled = true;
            }
            catch (IOException)
            {
                // The daemon has taken some of it meanwhile.
            }
        }
    }

    /// <summary>Takes whatever becomes free once it has been full, until it is over.</summary>
    public void KeepFull(CancellationToken over)
    {
        Directory.CreateDirectory(Filler);
        while (!over.IsCancellationRequested && new DriveInfo(_folder).AvailableFreeSpace > 0)
            Thread.Sleep(1);
        using var file = File.OpenHandle(Path.Combine(Filler, "more"), FileMode.Create, FileAccess.Write);
        var page = new byte[4096];
        for (var at = 0L; !over.IsCancellationRequested;)
        {
            try
            {
                RandomAccess.Write(file, page, at);
                at += page.Length;
            }
            catch (IOException)
            {
                Thread.Yield();
            }
        }
    }

    /// <summary>Takes all names (inodes) but so many.</summary>
    public async Task NameAllButAsync(int names)
    {
        Directory.CreateDirectory(Filler);
        var free = int.Parse(await Programs.RunAsync("stat", ["--file-system", "--format=%d", _folder]), CultureInfo.InvariantCulture);
        for (var name = 0; name < free - names; name++)
        {
            try
            {
                await File.Create(Path.Combine(Filler, $"{name}")).DisposeAsync();
            }
            catch (IOException full) when (AtomicFile.IsFull(full))
            {
                return; // the daemon has taken some meanwhile
            }
        }
    }

    public void Free()
    {
        if (Directory.Exists(Filler))
            Directory.Delete(Filler, recursive: true);
    }

    /// <summary>At once, whoever still uses it.</summary>
    public Task UnmountAsync() => Programs.RunAsync("umount", ["--lazy", _folder]);
}
