using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Tests.EndToEnd;

/// <summary>Commits whose files are not what most people's are.</summary>
[NeedsMachine]
public sealed class StrangeFilesTests(RunningPiku shared) : IClassFixture<RunningPiku>
{
    private Client Client => shared.Piku.Client;

    /// <summary>git's own word for the tree being what the commit says, names of every kind included.</summary>
    [Theory]
    [InlineData("names", "mkdir -p -- '-rf' 'new\nline' && touch -- '-rf/-x' 'new\nline/\"quoted\"' \"it's\" 'back\\slash' 'tab\there' ' ' '*' ':(glob)x' 'größe' && touch $(printf '%0255d' 1)"
        + " && touch README readme Readme && mkdir Dir dir && touch Dir/a dir/a"
        + " && ln -s /etc/passwd absolute && ln -s ../../../../etc relative && ln -s nowhere dangling && ln -s . itself && ln -s loop loop"
        + " && printf '#!/bin/sh\necho ran' > tool && chmod +x tool && cp tool plain && chmod -x plain"
        + " && mkdir -p a/b/c/d/e/f && echo x > a/b/c/d/e/f/g && echo '*' > a/.gitignore && git add -f a")]
    [InlineData("bytes", "mkdir \"$(printf 'fo\\351lder')\" && echo x > \"$(printf 'fo\\351lder')/$(printf '\\377\\376')\" && touch \"$(printf 'latin\\351')\"")]
    public async Task They_are_deployed_as_they_are_and_go_with_the_next_commit_and_the_app(string kind, string make)
    {
        var app = "strange-" + kind;
        var repository = await Repository.FromExampleAsync(Client, "static", app);
        await repository.PushAsync();
        await ShellAsync(repository, make);
        await repository.PushAsync();
        await AssertIsAsCommittedAsync(app);

        await ShellAsync(repository, "git rm -r --quiet --cached . && git add public ENV Procfile && git commit --quiet -m less && git clean -d -f -f -x --quiet");
        await repository.PushAsync();
        await AssertIsAsCommittedAsync(app);
        await Client.CommandAsync("rollback", app);
        await AssertIsAsCommittedAsync(app);
        await shared.Browser.AssertSaysAsync(shared.Browser.Http(repository.Host), "version 1");

        await Client.CommandAsync("destroy", app);
        Assert.False(Directory.Exists(shared.Piku.Paths.App(AppName.Parse(app))));
        Assert.True(File.Exists("/etc/passwd"));
    }

    [Fact]
    public async Task Files_folders_and_links_become_each_other_without_leaving_the_tree()
    {
        const string App = "changeling";
        var outside = Directory.CreateDirectory(Path.Combine(Client.Folder, "changeling-outside")).FullName;
        File.SetUnixFileMode(outside, (UnixFileMode)0b111_111_111);
        var repository = await Repository.FromExampleAsync(Client, "static", App);
        foreach (var change in new[]
        {
            "echo 1 > x; chmod +x x",
            "rm x; mkdir -p x/y; echo 2 > x/y/z; echo 2 > x/file",
            $"rm -r x; ln -s {outside} x",
            "rm x; mkdir -p x/y; echo 3 > x/y/z; chmod +x x/y/z",
            $"rm -r x/y; ln -s {outside} x/y",
            "rm -r x; echo 4 > x",
            "chmod +x x",
            "rm x",
            "mkdir conf; mv ENV conf/env; ln -s conf/env ENV",
        })
        {
            await ShellAsync(repository, change);
            await repository.PushAsync();
            await AssertIsAsCommittedAsync(App);
        }
        Assert.Empty(Directory.EnumerateFileSystemEntries(outside));
        await Client.CommandAsync("destroy", App);
    }

    [Fact]
    public async Task A_name_that_no_disk_can_hold_and_a_tree_without_files_are_refused_and_nothing_changes()
    {
        const string App = "nameless";
        var repository = await Repository.FromExampleAsync(Client, "static", App);
        await repository.PushAsync();
        var good = await repository.HeadAsync();

        await ShellAsync(repository, "git update-index --add --cacheinfo 100644,$(git hash-object -w ENV),$(printf '%0300d' 1) && git commit --quiet -m long");
        var refused = await Programs.CaptureAsync(repository.Push());
        Assert.False(refused.Status.Succeeded);
        Assert.Contains("Error: the name of a file in the commit is too long for the server's disk: 000000", refused.Error, StringComparison.Ordinal);

        await ShellAsync(repository, "git reset --quiet --hard HEAD^ && git rm -r --quiet . && git commit --quiet -m empty");
        refused = await Programs.CaptureAsync(repository.Push());
        Assert.False(refused.Status.Succeeded);
        Assert.Contains("Procfile", refused.Error, StringComparison.Ordinal);

        Assert.Equal(good, await repository.RemoteHeadAsync());
        await shared.Browser.AssertSaysAsync(shared.Browser.Http(repository.Host), "version 1");
        Assert.Equal(good, (await Client.CommandAsync("run", App, "git rev-parse HEAD")).Trim());
        await AssertIsAsCommittedAsync(App);
        await Client.CommandAsync("destroy", App);
    }

    private async Task AssertIsAsCommittedAsync(string app) =>
        Assert.Equal("", await Client.CommandAsync("run", app, "git status --porcelain --ignored"));

    private Task ShellAsync(Repository repository, string line) => AssertRunsAsync(new ProgramCall
    {
        Program = "/bin/sh",
        Arguments = ["-e", "-c", line],
        Folder = repository.Folder,
        Environment = Client.Environment,
    });

    private static async Task AssertRunsAsync(ProgramCall call)
    {
        var run = await Programs.CaptureAsync(call);
        Assert.True(run.Status.Succeeded, run.Output + run.Error);
    }
}
