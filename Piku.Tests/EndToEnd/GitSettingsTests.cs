using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Tests.EndToEnd;

/// <summary>What git's own configuration, tags and habits of people's clients make of a push.</summary>
[NeedsMachine]
public sealed class GitSettingsTests(GitSettingsTests.AnAccountWithSettings shared) : IClassFixture<GitSettingsTests.AnAccountWithSettings>
{
    private Client Client => shared.Piku.Client;

    /// <summary>The service user has a <c>~/.gitconfig</c>, as somebody who also works with git there.</summary>
    public sealed class AnAccountWithSettings : RunningPiku
    {
        protected override async Task PrepareAsync()
        {
            var (hooks, file) = (Path.Combine(Piku.Home, "hooks"), Path.Combine(Piku.Home, ".gitconfig"));
            Directory.CreateDirectory(hooks);
            foreach (var hook in (string[])["post-checkout", "reference-transaction", "post-index-change", "fsmonitor"])
                AtomicFile.Write(Path.Combine(hooks, hook), $"#!/bin/sh\ntouch {Piku.Home}/hook-has-run\n", AtomicFile.Executable);
            await File.WriteAllTextAsync(file, $"[receive]\ndenyNonFastForwards = true\n[core]\nfsmonitor = {hooks}/fsmonitor\nhooksPath = {hooks}\nautocrlf = true\n");
            await PikuInstance.GiveToDaemonAsync(hooks, file);
        }
    }

    [Fact]
    public async Task What_a_build_step_or_the_service_user_has_set_in_git_changes_no_push()
    {
        var repository = await Repository.FromExampleAsync(Client, "static", "unmoved");
        var procfile = File.ReadAllText(Path.Combine(repository.Folder, "Procfile"));
        repository.Write("Procfile", procfile + """
            release: git config core.bare true; git config core.autocrlf true; git config core.worktree /nowhere; git config core.fsmonitor /bin/false; git config filter.lfs.smudge false; git config filter.lfs.process false; git config filter.lfs.required true; git --git-dir "$(git config remote.origin.url)" config receive.denyNonFastForwards true; printf 'no newline'

            """);
        repository.Write(".gitattributes", "*.lfs filter=lfs\n");
        repository.Write("public/a.lfs", "pointer\n");
        repository.Write("public/sub/.gitattributes", "*.bin filter=lfs -text\n");
        var said = await repository.PushAsync();
        Assert.Matches("remote: no newline *\n", said);
        Assert.Contains("Warning: this repository keeps files in git-lfs", said, StringComparison.Ordinal);

        repository.Replace("public/index.html", "version 1", "version 2");
        File.Delete(Path.Combine(repository.Folder, ".gitattributes"));
        repository.Write(".gitattributes", "*.lfs filter=lfs\n*.txt text\n");
        repository.Write("public/a.lfs", "pointer 2\n");
        repository.Write("public/lines.txt", "one\ntwo\n");
        await repository.PushAsync();
        await repository.GitAsync("commit", "--quiet", "--amend", "-m", "forced");
        await repository.GitAsync("push", "--quiet", "--force", Client.Remote("unmoved"), "main");
        await shared.Browser.AssertSaysAsync(shared.Browser.Http(repository.Host), "version 2");
        await shared.Browser.AssertSaysAsync(shared.Browser.Http(repository.Host, "/a.lfs"), "pointer 2\n");
        Assert.Equal("one\ntwo\n", await File.ReadAllTextAsync(Path.Combine(shared.Piku.Paths.App(AppName.Parse("unmoved")), "public/lines.txt"), TestContext.Current.CancellationToken));
        Assert.Equal(await repository.HeadAsync(), await repository.RemoteHeadAsync());
        Assert.False(File.Exists(Path.Combine(shared.Piku.Home, "hook-has-run")));
    }

    [Fact]
    public async Task Tags_reach_the_apps_folder_with_the_push_that_brings_them_and_go_with_the_one_that_removes_them()
    {
        var repository = await Repository.WithFilesAsync(Client, "tagged", ("Procfile", "worker: exec sleep 1000\nrelease: git describe --tags; test ! -f fail\n"), ("package.json", "{}"));
        await repository.CommitAsync();
        await repository.GitAsync("tag", "-a", "v1.2", "-m", "one");
        Assert.Contains("remote: v1.2", await PushAsync(repository, "main", "--tags"), StringComparison.Ordinal);
        Assert.Equal("v1.2\n", await Client.CommandAsync("run", "tagged", "git describe --tags"));

        // Of a push that was rejected nothing stays.
        repository.Write("fail", "");
        await repository.CommitAsync();
        await repository.GitAsync("tag", "v2");
        var rejected = await Programs.CaptureAsync(Client.Git(repository.Folder, "push", "-o", "ci.skip", Client.Remote("tagged"), "main", "v2"));
        Assert.False(rejected.Status.Succeeded);
        Assert.Contains("remote: v2", rejected.Error, StringComparison.Ordinal);
        Assert.Contains("Warning: ignored unknown push options: 'ci.skip'. Available: no-deploy, rebuild, branch=NAME.", rejected.Error, StringComparison.Ordinal);
        Assert.Equal("v1.2\n", await Client.CommandAsync("run", "tagged", "git tag"));

        await repository.GitAsync("tag", "-d", "v2");
        File.Delete(Path.Combine(repository.Folder, "fail"));
        await repository.CommitAsync();
        await repository.GitAsync("tag", "v1.3");
        Assert.Contains("remote: v1.3", await PushAsync(repository, "main", ":refs/tags/v1.2", "v1.3"), StringComparison.Ordinal);
        Assert.Equal("v1.3\n", await Client.CommandAsync("run", "tagged", "git tag"));
    }

    [Fact]
    public async Task A_dry_run_leaves_nothing_and_a_rejected_first_push_no_app_to_list()
    {
        var repository = await Repository.WithFilesAsync(Client, "typo", ("Procfile", "worker: exec sleep 1000\nrelease: test -n \"$SECRET\"\n"), ("package.json", "{}"));
        await repository.CommitAsync();
        await PushAsync(repository, "--dry-run", "main");
        Assert.False(Directory.Exists(shared.Piku.Paths.Repo(AppName.Parse("typo"))));
        Assert.Equal("Error: app 'typo' not found.\n", (await Client.SshAsync("ps", "typo")).Error);

        Assert.False((await Programs.CaptureAsync(repository.Push())).Status.Succeeded);
        Assert.DoesNotContain("typo", await Client.CommandAsync("apps"), StringComparison.Ordinal);
        Assert.Contains("the release command of the Procfile failed", await Client.CommandAsync("releases:log", "typo"), StringComparison.Ordinal);
        // What it needs can be set, and is kept.
        await Client.CommandAsync("config:set", "typo", "SECRET=1");
        Assert.Contains(" typo (not deployed)\n", await Client.CommandAsync("apps"), StringComparison.Ordinal);

        // As upstream's users name it.
        await PushAsync(repository, "--remote-of-upstream", "main");
        Assert.Contains("*typo\n", await Client.CommandAsync("apps"), StringComparison.Ordinal);

        // A change that does not deploy is no change.
        var refused = await Client.SshAsync("config:set", "typo", "SECRET=", "OTHER=1");
        Assert.Equal(1, refused.Status.Code);
        Assert.Contains("The settings are as they were.", refused.Error, StringComparison.Ordinal);
        Assert.Equal("SECRET=1\n", await Client.CommandAsync("config", "typo"));
    }

    private async Task<string> PushAsync(Repository repository, params string[] words)
    {
        var remote = words.Contains("--remote-of-upstream") ? Client.Remote($"~/{repository.App}") : Client.Remote(repository.App);
        string[] options = [.. words.Where(word => word == "--dry-run")];
        string[] others = [.. words.Where(word => word is not ("--dry-run" or "--remote-of-upstream"))];
        var run = await Programs.CaptureAsync(Client.Git(repository.Folder, ["push", .. options, remote, .. others]));
        Assert.True(run.Status.Succeeded, run.Error);
        return run.Error;
    }
}
