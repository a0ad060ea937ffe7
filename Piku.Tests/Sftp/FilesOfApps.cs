using System.Security.Cryptography;
using Piku.Tests.Ssh;

namespace Piku.Tests.Sftp;

/// <summary>What people do with sftp and scp.</summary>
[NeedsMachine]
public sealed class FilesOfApps
{
    private const int Large = 100 * 1024 * 1024;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Are_listed_as_far_as_the_key_may_see_them()
    {
        await using var files = await FileServer.StartAsync();
        var result = await files.SftpAsync("pwd", "ls -1 /", "ls -1 /data", "ls -1 /apps/shop", "ls -l /logs/blog");
        Assert.Equal("", result.Error);
        Assert.Contains("Remote working directory: /\n", result.Output, StringComparison.Ordinal);
        foreach (var name in (string[])["/apps", "/data", "/logs", "/data/blog", "/apps/shop", "/apps/shop/stock", "web.1.log"])
            Assert.Contains(name + "\n", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("hidden", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("authorized_keys", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("/data/shop", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Are_made_changed_renamed_and_removed()
    {
        await using var files = await FileServer.StartAsync();
        var local = Path.Combine(files.ClientFolder, "ü and space");
        await File.WriteAllTextAsync(local, "text", Cancel);
        var result = await files.SftpAsync(
            $"lcd {files.ClientFolder}", "cd /data/blog", "put \"ü and space\"", "mkdir folder", "rename \"ü and space\" folder/a",
            "chmod 600 folder/a", "symlink a folder/link", "get folder/link back", "put -p back folder/b", "rename folder/b folder/a",
            "-rm folder/missing", "ls -l folder", "rm folder/link", "mkdir empty", "rmdir empty", "df");
        Assert.DoesNotContain("folder/a\": Failure", result.Error, StringComparison.Ordinal);
        Assert.Equal("text", await File.ReadAllTextAsync(Path.Combine(files.ClientFolder, "back"), Cancel));
        Assert.Equal(["a"], Directory.GetFileSystemEntries(files.At("data/blog/folder")).Select(Path.GetFileName));
        Assert.False(Directory.Exists(files.At("data/blog/empty")));
    }

    [Theory]
    [InlineData("put {0} /logs/blog/x")]
    [InlineData("put {0} /apps/shop/x")]
    [InlineData("put {0} /data/x")]
    [InlineData("put {0} /x")]
    [InlineData("put {0} /data/hidden/x")]
    [InlineData("put {0} /logs/blog/web.1.log")]
    [InlineData("rm /logs/blog/web.1.log")]
    [InlineData("chmod 777 /logs/blog/web.1.log")]
    [InlineData("mkdir /data/new")]
    [InlineData("rmdir /data/blog")]
    [InlineData("rename /data/blog /data/other")]
    [InlineData("rename /apps/shop/stock /data/blog/stock")]
    [InlineData("get /data/hidden/secret /dev/null")]
    [InlineData("get /data/../authorized_keys /dev/null")]
    [InlineData("get ../../../authorized_keys /dev/null")]
    [InlineData("get /data/blog/../hidden/secret /dev/null")]
    [InlineData("get /data/blog/../../authorized_keys /dev/null")]
    [InlineData("get /etc/passwd /dev/null")]
    [InlineData("symlink /etc/passwd /data/blog/l")]
    [InlineData("symlink ../hidden/secret /data/blog/l")]
    [InlineData("symlink x/../../hidden /data/blog/l")]
    [InlineData("ls /data/hidden")]
    [InlineData("ls /data/shop")]
    [InlineData("get /data/shop/customers /dev/null")]
    public async Task Are_kept_from_what_the_key_may_not_do(string command)
    {
        await using var files = await FileServer.StartAsync();
        var local = Path.Combine(files.ClientFolder, "local");
        await File.WriteAllTextAsync(local, "new", Cancel);
        var before = Snapshot(files);

        var result = await files.SftpAsync(command.Replace("{0}", local, StringComparison.Ordinal));

        Assert.True(result.ExitCode != 0, result.Output + result.Error);
        Assert.Equal(before, Snapshot(files));
    }

    [Theory]
    [InlineData("/etc")]
    [InlineData("../hidden")]
    [InlineData("../../logs")]
    [InlineData("/proc/self/root/etc")]
    public async Task Are_not_left_by_a_link_that_an_app_has_made(string target)
    {
        await using var files = await FileServer.StartAsync();
        File.CreateSymbolicLink(files.At("data/blog/out"), target);
        Directory.CreateDirectory(files.At("data/blog/in"));

        foreach (var command in (string[])["cd /data/blog/out", "get /data/blog/out/secret /dev/null", "get /data/blog/out/passwd /dev/null", "put /etc/hostname /data/blog/out/x", "mkdir /data/blog/out/x", "rename /data/blog/in /data/blog/out/in"])
            Assert.NotEqual(0, (await files.SftpAsync(command)).ExitCode);

        Assert.Equal(0, (await files.SftpAsync("rm /data/blog/out")).ExitCode);
        Assert.True(Directory.Exists(files.At("data/hidden")));
    }

    [Fact]
    public async Task That_are_pipes_hold_nobody_up()
    {
        await using var files = await FileServer.StartAsync();
        await Programs.RunAsync("mkfifo", [files.At("data/blog/pipe")]);
        Assert.NotEqual(0, (await files.ScpAsync(FileServer.Remote("/data/blog/pipe"), "/dev/null")).ExitCode);
        Assert.NotEqual(0, (await files.ScpAsync("-O", FileServer.Remote("/data/blog/pipe"), "/dev/null")).ExitCode);
    }

    [Theory]
    [InlineData]
    [InlineData("-O")]
    public async Task Travel_unchanged_with_scp_however_large(params string[] options)
    {
        await using var files = await FileServer.StartAsync();
        var (up, down) = (Path.Combine(files.ClientFolder, "up"), Path.Combine(files.ClientFolder, "down"));
        await File.WriteAllBytesAsync(up, RandomNumberGenerator.GetBytes(Large), Cancel);

        Assert.Equal(new ProgramResult(0, "", ""), await files.ScpAsync([.. options, "-p", up, FileServer.Remote("/data/blog/file")]));
        Assert.Equal(new ProgramResult(0, "", ""), await files.ScpAsync([.. options, "-p", FileServer.Remote("/data/blog/file"), down]));

        Assert.Equal(Hash(up), Hash(down));
        Assert.Equal(File.GetLastWriteTimeUtc(up), File.GetLastWriteTimeUtc(down), TimeSpan.FromSeconds(1));
    }

    [Theory]
    [InlineData]
    [InlineData("-O")]
    public async Task Travel_with_their_folders(params string[] options)
    {
        await using var files = await FileServer.StartAsync();
        var tree = Path.Combine(files.ClientFolder, "tree");
        Directory.CreateDirectory(Path.Combine(tree, "deep", "deeper"));
        await File.WriteAllTextAsync(Path.Combine(tree, "deep", "deeper", "a"), "a", Cancel);
        await File.WriteAllTextAsync(Path.Combine(tree, "empty"), "", Cancel);
        var past = new DateTime(2001, 9, 9, 1, 46, 40, DateTimeKind.Utc);
        Directory.SetLastWriteTimeUtc(Path.Combine(tree, "deep"), past);

        Assert.Equal("", (await files.ScpAsync([.. options, "-rp", tree, FileServer.Remote("/data/blog/")])).Error);
        Assert.Equal(past, Directory.GetLastWriteTimeUtc(files.At("data/blog/tree/deep")));
        Assert.Equal("", (await files.ScpAsync([.. options, "-r", FileServer.Remote("/data/blog/tree"), Path.Combine(files.ClientFolder, "back")])).Error);

        Assert.Equal("", (await Programs.RunAsync("diff", ["-r", tree, Path.Combine(files.ClientFolder, "back")])).Output);
    }

    [Theory]
    [InlineData]
    [InlineData("-O")]
    public async Task Are_found_by_upstreams_path_and_by_wildcards(params string[] options)
    {
        await using var files = await FileServer.StartAsync();
        foreach (var name in (string[])["a.txt", "b.txt", "c.html", ".d.txt", "[x].txt"])
            await File.WriteAllTextAsync(files.At($"apps/blog/{name}"), name, Cancel);
        Directory.CreateDirectory(files.At("apps/blog/sub"));
        await File.WriteAllTextAsync(files.At("apps/blog/sub/e.txt"), "e", Cancel);
        foreach (var (pattern, names) in ((string, string)[])[
            (".piku/apps/blog/*.txt", "[x].txt a.txt b.txt"), ("~/.piku/apps/blog/[ac].*", "a.txt c.html"), ("/apps/b*/s?b/e.txt", "e.txt"), ("apps/blog/[!a-b].txt", ""), ("apps/blog/a.txt", "a.txt")])
        {
            var folder = Directory.CreateDirectory(Path.Combine(files.ClientFolder, Path.GetRandomFileName())).FullName;
            var result = await files.ScpAsync([.. options, FileServer.Remote(pattern), folder + "/"]);
            Assert.True(result.ExitCode == (names.Length == 0 ? 1 : 0), $"{pattern}: {result.Error}");
            Assert.Equal(names, string.Join(' ', Directory.GetFiles(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal)));
        }
        Assert.Equal("", (await files.ScpAsync([.. options, "/etc/hostname", FileServer.Remote(".piku/data/blog/up")])).Error);
        Assert.True(File.Exists(files.At("data/blog/up")));
    }

    [Theory]
    [InlineData("a*", "abc", true)]
    [InlineData("a*", "ba", false)]
    [InlineData("?", "é", true)]
    [InlineData("[]x]", "]", true)]
    [InlineData("[!x]", "x", false)]
    [InlineData("[^x]", "y", true)]
    [InlineData("[a-c]", "b", true)]
    [InlineData("[", "[", true)]
    [InlineData("a.b", "axb", false)]
    [InlineData("[z-a]", "b", false)]
    [InlineData("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false)]
    [InlineData("*", ".hidden", false)]
    [InlineData(".*", ".hidden", true)]
    public void Fit_a_pattern_as_in_a_shell(string pattern, string name, bool fits) => Assert.Equal(fits, Server.Sftp.FilePattern.Fits(name, pattern));

    [Theory]
    [InlineData]
    [InlineData("-O")]
    public async Task Come_with_all_the_rest_where_a_link_leads_out_of_the_app(params string[] options)
    {
        await using var files = await FileServer.StartAsync();
        Directory.CreateDirectory(files.At("envs/blog/node_modules"));
        File.CreateSymbolicLink(files.At("apps/blog/node_modules"), files.At("envs/blog/node_modules"));
        foreach (var name in (string[])["a", "m", "z"])
            await File.WriteAllTextAsync(files.At($"apps/blog/{name}"), name, Cancel);
        var folder = Directory.CreateDirectory(Path.Combine(files.ClientFolder, "all")).FullName;
        var result = await files.ScpAsync([.. options, "-r", FileServer.Remote("apps/blog/."), folder]);
        // As with a link that leads nowhere, whoever copies is told, and gets all else.
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("node_modules", result.Error, StringComparison.Ordinal);
        Assert.Equal("a m z", string.Join(' ', Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Select(Path.GetFileName).Order(StringComparer.Ordinal)));
    }

    [Fact]
    public async Task Put_into_the_apps_own_folder_are_there_without_a_complaint()
    {
        await using var files = await FileServer.StartAsync();
        var tree = Directory.CreateDirectory(Path.Combine(files.ClientFolder, "tree")).FullName;
        await File.WriteAllTextAsync(Path.Combine(tree, "a"), "a", Cancel);
        File.SetUnixFileMode(tree, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var before = File.GetUnixFileMode(files.At("data/blog"));

        Assert.Equal((0, ""), (await files.SftpAsync($"put -r {tree}/. /data/blog")) is var put ? (put.ExitCode, put.Error) : default);
        Assert.Equal(0, (await files.ScpAsync("-r", tree + "/.", FileServer.Remote("/data/blog"))).ExitCode);
        Assert.Equal("a", await File.ReadAllTextAsync(files.At("data/blog/a"), Cancel));
        Assert.Equal(before, File.GetUnixFileMode(files.At("data/blog")));
        Assert.NotEqual(0, (await files.SftpAsync($"put -r {tree}/. /data/shop")).ExitCode);
    }

    [Theory]
    [InlineData("/data/hidden/secret")]
    [InlineData("/authorized_keys")]
    [InlineData("/data/blog/../../authorized_keys")]
    [InlineData("/data/blog/missing")]
    public async Task Are_kept_from_the_old_scp_too(string path)
    {
        await using var files = await FileServer.StartAsync();
        Assert.Equal(1, (await files.ScpAsync("-O", FileServer.Remote(path), "/dev/null")).ExitCode);
        Assert.Equal(1, (await files.ScpAsync("-O", "/etc/hostname", FileServer.Remote(path.Contains("missing", StringComparison.Ordinal) ? "/logs/blog/x" : path))).ExitCode);
        Assert.Equal("secret", await File.ReadAllTextAsync(files.At("authorized_keys"), Cancel));
    }

    private static byte[] Hash(string file) => SHA256.HashData(File.ReadAllBytes(file));

    private static string[] Snapshot(FileServer files) =>
    [
        .. Directory.EnumerateFileSystemEntries(files.Paths.Root, "*", SearchOption.AllDirectories)
            .Select(path => $"{path} {File.GetUnixFileMode(path)} {(File.Exists(path) ? File.ReadAllText(path) : "")}").Order(StringComparer.Ordinal),
    ];
}
