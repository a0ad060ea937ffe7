using System.Security.Cryptography;
using Piku.Core.Machine;
using Piku.Tests.Ssh;

namespace Piku.Tests.Sftp;

/// <summary>The files of apps in a folder of the client's own, by sshfs.</summary>
[NeedsMachine]
public sealed class AMountedTree
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Is_worked_in_as_in_any_folder()
    {
        Assert.SkipUnless(Tools.Find("sshfs", EndToEnd.Programs.SearchPath) is not null, "sshfs is not installed");
        Assert.SkipUnless(MayMount(), "/dev/fuse is missing or may not be opened");
        await using var files = await FileServer.StartAsync();
        var tree = Directory.CreateDirectory(Path.Combine(files.ClientFolder, "tree")).FullName;
        using var sshfs = files.Mount(tree);
        try
        {
            await Eventually.TrueAsync(() => sshfs.HasExited || IsMounted(tree));
            Assert.False(sshfs.HasExited, sshfs.HasExited ? await sshfs.StandardError.ReadToEndAsync(Cancel) : "");
            await Task.Run(() => WorkAsync(files, tree), Cancel);
        }
        finally
        {
            await Programs.RunAsync("fusermount3", ["-u", "-z", tree]);
            if (!sshfs.WaitForExit(Wait.Limit))
                sshfs.Kill(entireProcessTree: true);
        }
    }

    private static async Task WorkAsync(FileServer files, string tree)
    {
        var blog = Path.Combine(tree, "data", "blog");
        var data = RandomNumberGenerator.GetBytes(4 << 20);
        byte[] more = [.. data, (byte)'m', (byte)'o', (byte)'r', (byte)'e'];
        Assert.Equal(["apps", "data", "logs"], Directory.GetDirectories(tree).Select(Path.GetFileName).Order());
        Assert.Equal("a line\n", await File.ReadAllTextAsync(Path.Combine(tree, "logs", "blog", "web.1.log"), Cancel));

        Directory.CreateDirectory(Path.Combine(blog, "album"));
        await File.WriteAllBytesAsync(Path.Combine(blog, "new"), data, Cancel);
        File.Move(Path.Combine(blog, "new"), Path.Combine(blog, "album", "photo"));
        await File.AppendAllTextAsync(Path.Combine(blog, "album", "photo"), "more", Cancel);
        File.SetUnixFileMode(Path.Combine(blog, "album", "photo"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.SetLastWriteTimeUtc(Path.Combine(blog, "album", "photo"), DateTime.UnixEpoch.AddDays(1));
        File.CreateSymbolicLink(Path.Combine(blog, "link"), "album/photo");

        var photo = files.At("data/blog/album/photo");
        Assert.Equal(more, await File.ReadAllBytesAsync(photo, Cancel));
        Assert.Equal(DateTime.UnixEpoch.AddDays(1), File.GetLastWriteTimeUtc(photo));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(photo));
        Assert.Equal(more, await File.ReadAllBytesAsync(Path.Combine(blog, "link"), Cancel));

        await Assert.ThrowsAsync<DirectoryNotFoundException>(() => File.WriteAllTextAsync(Path.Combine(tree, "data", "hidden", "x"), "x", Cancel));
        await Assert.ThrowsAsync<UnauthorizedAccessException>(() => File.WriteAllTextAsync(Path.Combine(tree, "apps", "shop", "x"), "x", Cancel));
        Assert.ThrowsAny<Exception>(() => File.CreateSymbolicLink(Path.Combine(blog, "out"), "/etc/passwd"));

        File.Delete(Path.Combine(blog, "link"));
        File.Delete(Path.Combine(blog, "album", "photo"));
        Directory.Delete(Path.Combine(blog, "album"));
        Assert.Empty(Directory.GetFileSystemEntries(files.At("data/blog")));
    }

    private static bool IsMounted(string folder) => File.ReadAllText("/proc/mounts").Contains($" {folder} fuse.sshfs ", StringComparison.Ordinal);

    private static bool MayMount()
    {
        try
        {
            using var device = File.OpenHandle("/dev/fuse", FileMode.Open, FileAccess.ReadWrite);
            return true;
        }
        catch (Exception missing) when (missing is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
