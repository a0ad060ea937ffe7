using Piku.Core.Git;
using Piku.Core.Model;
using Piku.Tests.EndToEnd;
using Piku.Tests.Machine;

namespace Piku.Tests.Git;

/// <summary>A working tree that becomes another commit's, whatever has been done to it.</summary>
[NeedsMachine]
public sealed class TreeUpdateTests : IDisposable
{
    private static readonly string[] Identity = ["-c", "user.name=A", "-c", "user.email=a@b"];

    private readonly TempFolder _folder = new();
    private readonly GitProgram _git = new(EnvMap.Empty.With("PATH", Programs.SearchPath).With("HOME", "/nonexistent"));

    private string Tree => _folder.Path;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Has_the_files_of_the_commit_with_their_modes_and_links_and_keeps_what_git_does_not_track()
    {
        var one = await CommitAsync(() =>
        {
            Write("a", "1");
            Write("deep/er/b", "1");
            Write("run", "#!/bin/sh\n");
            File.SetUnixFileMode(At("run"), (UnixFileMode)0b111_101_101);
            File.CreateSymbolicLink(At("link"), "deep/er/b");
            Write("with space and ü\nand a line", "1");
        });
        var two = await CommitAsync(() =>
        {
            Write("a", "2");
            Directory.Delete(At("deep"), recursive: true);
            Write("deep", "a file now");
            File.Delete(At("link"));
            File.Delete(At("with space and ü\nand a line"));
        });
        Write("own/data", "kept");

        await UpdateAsync(one);

        Assert.Equal(("1", "1", "1"), (Read("a"), Read("deep/er/b"), Read("link")));
        Assert.Equal("1", Read("with space and ü\nand a line"));
        Assert.True(File.GetUnixFileMode(At("run")).HasFlag(UnixFileMode.UserExecute));
        Assert.Equal("kept", Read("own/data"));
        Assert.Equal("?? own/\n", await StatusAsync(one));

        await UpdateAsync(two);

        Assert.Equal(("2", "a file now"), (Read("a"), Read("deep")));
        Assert.False(Path.Exists(At("link")));
        Assert.Equal("?? own/\n", await StatusAsync(two));
        Assert.Equal([".git", "a", "deep", "own", "run"], new DirectoryInfo(Tree).EnumerateFileSystemInfos().Select(entry => entry.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Undoes_what_the_app_has_done_to_files_of_the_commit_and_follows_no_link_of_its()
    {
        var outside = Directory.CreateDirectory(_folder.Path + ".outside").FullName;
        try
        {
            var commit = await CommitAsync(() =>
            {
                Write("changed", "1");
                Write("gone", "1");
                Write("folder/inside", "1");
            });
            Write("changed", "by the app");
            File.Delete(At("gone"));
            Directory.Delete(At("folder"), recursive: true);
            File.CreateSymbolicLink(At("folder"), outside);

            await UpdateAsync(commit);

            Assert.Equal(("1", "1", "1"), (Read("changed"), Read("gone"), Read("folder/inside")));
            Assert.Empty(Directory.EnumerateFileSystemEntries(outside));
            Assert.Equal("", await StatusAsync(commit));
        }
        finally
        {
            Directory.Delete(outside, recursive: true);
        }
    }

    [Fact]
    public async Task Never_has_a_moment_without_a_file_that_both_commits_have()
    {
        var one = await CommitAsync(() => Write("page", new string('1', 100_000)));
        var two = await CommitAsync(() => Write("page", new string('2', 100_000)));
        using var over = new CancellationTokenSource();
        var reading = Task.Run(
            () =>
            {
                var lengths = new HashSet<int>();
                while (!over.IsCancellationRequested)
                    lengths.Add(Read("page").Distinct().Count() * 1_000_000 + Read("page").Length);
                return lengths;
            },
            Cancelled);

        for (var i = 0; i < 10; i++)
        {
            await UpdateAsync(one);
            await UpdateAsync(two);
        }

        await over.CancelAsync();
        Assert.Equal([1_100_000], await reading);
    }

    [Fact]
    public async Task Makes_a_file_that_follows_another_at_once_look_younger()
    {
        var one = await CommitAsync(() => Write("same", "1"));
        var two = await CommitAsync(() => Write("same", "2"));
        await UpdateAsync(one);
        var before = File.GetLastWriteTimeUtc(At("same"));

        await UpdateAsync(two);

        Assert.True(new DateTimeOffset(File.GetLastWriteTimeUtc(At("same"))).ToUnixTimeSeconds() > new DateTimeOffset(before).ToUnixTimeSeconds());
        Assert.Equal("", await StatusAsync(two));
    }

    [Fact]
    public async Task Leaves_names_that_are_no_text_to_git()
    {
        await Programs.RunAsync("/bin/sh", ["-c", "printf x > \"$(printf 'latin\\351')\""], Tree);
        var commit = await CommitAsync(() => { });
        await Programs.RunAsync("/bin/sh", ["-c", "rm latin*"], Tree);

        await UpdateAsync(commit);

        // .NET cannot name the file, so the shell also removes it.
        Assert.Equal("x", await Programs.RunAsync("/bin/sh", ["-c", "cat latin* && rm latin*"], Tree));
    }

    [Fact]
    public async Task Refuses_a_file_where_the_app_has_a_folder_of_its_own()
    {
        var commit = await CommitAsync(() => Write("uploads", "a file"));
        File.Delete(At("uploads"));
        Write("uploads/picture", "the app's");

        var refusal = await Assert.ThrowsAsync<UserError>(() => UpdateAsync(commit));

        Assert.Contains("uploads", refusal.Message, StringComparison.Ordinal);
        Assert.Equal("the app's", Read("uploads/picture"));
    }

    [Fact]
    public async Task Takes_back_what_an_interrupted_update_has_placed_and_leaves_the_apps_own()
    {
        var before = await CommitAsync(() => Write("a", "1"));
        var after = await CommitAsync(() =>
        {
            Write("a", "2");
            Write("new/file", "placed");
            Write("uploads", "a file");
            Write("written", "never placed");
        });
        await UpdateAsync(before);
        Write("uploads/picture", "the app's");
        Write("written", "the app's");
        await Assert.ThrowsAsync<UserError>(() => UpdateAsync(after));
        Assert.True(File.Exists(At("new/file")));

        await UpdateAsync(before);

        Assert.Equal([".git", "a", "uploads", "written"], new DirectoryInfo(Tree).EnumerateFileSystemInfos().Select(entry => entry.Name).Order(StringComparer.Ordinal));
        Assert.Equal(("1", "the app's", "the app's"), (Read("a"), Read("uploads/picture"), Read("written")));
        Assert.DoesNotContain(Directory.EnumerateFileSystemEntries(At(".git")), entry => Path.GetFileName(entry).StartsWith("piku-", StringComparison.Ordinal));
    }

    private Task UpdateAsync(string commit) => new TreeUpdate(_git, Tree, Quarantine.None).RunAsync(commit, commit, Cancelled);

    private async Task<string> CommitAsync(Action change)
    {
        if (!Directory.Exists(At(".git")))
            await GitAsync("init", "--quiet", "-b", "main");
        change();
        await GitAsync("add", "--all");
        await GitAsync([.. Identity, "commit", "--quiet", "--allow-empty", "-m", "x"]);
        return (await GitAsync("rev-parse", "HEAD")).Trim();
    }

    /// <summary>Against that commit, with what is not tracked.</summary>
    private async Task<string> StatusAsync(string commit)
    {
        await GitAsync("update-ref", "HEAD", commit);
        return await GitAsync("status", "--porcelain");
    }

    private Task<string> GitAsync(params string[] arguments) => Programs.RunAsync("git", arguments, Tree);

    private void Write(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(path))!);
        File.WriteAllText(At(path), text);
    }

    private string Read(string path) => File.ReadAllText(At(path));

    private string At(string path) => Path.Combine(Tree, path);
}
