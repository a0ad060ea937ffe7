using System.Diagnostics;
using Piku.Core.Machine;

namespace Piku.Tests.EndToEnd;

/// <summary>Pushes that git can make and few people do.</summary>
[NeedsMachine]
public sealed class StrangeRefsTests(RunningPiku shared) : IClassFixture<RunningPiku>
{
    private Client Client => shared.Piku.Client;

    [Fact]
    public async Task Nothing_can_be_pushed_and_makes_no_app()
    {
        var repository = await Repository.WithFilesAsync(Client, "nothing");
        Assert.Contains("src refspec main does not match any", (await TryAsync(repository, "push", Client.Remote("nothing"), "main")).Error, StringComparison.Ordinal);
        Assert.Contains("No refs in common and none specified; doing nothing", (await TryAsync(repository, "push", Client.Remote("nothing"), "--all")).Error, StringComparison.Ordinal);
        Assert.Contains("app 'nothing' not found", (await TryAsync(repository, "clone", Client.Remote("nothing"), "copy")).Error, StringComparison.Ordinal);
        Assert.Contains("app 'nothing' not found", (await Client.SshAsync("deploy", "nothing")).Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(shared.Piku.Paths.Repos, "nothing")));
    }

    [Fact]
    public async Task A_shallow_clone_is_told_what_to_do_unless_the_server_has_the_rest()
    {
        var whole = await Repository.FromExampleAsync(Client, "static", "deepening");
        await whole.CommitAsync();
        whole.Replace("public/index.html", "version 1", "version 2");
        await whole.CommitAsync();
        var shallow = await Repository.WithFilesAsync(Client, "deepening-shallow");
        await shallow.GitAsync("fetch", "--quiet", "--depth=1", $"file://{whole.Folder}", "main");
        await shallow.GitAsync("reset", "--quiet", "--hard", "FETCH_HEAD");

        foreach (var arguments in new[] { new[] { "main" }, ["-o", "no-deploy", "main"], ["main:refs/tags/v1"] })
        {
            var refused = await TryAsync(shallow, ["push", Client.Remote("deepening"), .. arguments]);
            Assert.False(refused.Status.Succeeded);
            Assert.Contains("Error: this clone is shallow, and the server does not have the commits that it lacks: run 'git fetch --unshallow'", refused.Error, StringComparison.Ordinal);
        }
        Assert.Equal("", await shallow.GitAsync("ls-remote", Client.Remote("deepening")));
        Assert.False(File.Exists(Path.Combine(shared.Piku.Paths.Repos, "deepening/shallow")));

        await shallow.GitAsync("fetch", "--quiet", "--unshallow", $"file://{whole.Folder}", "main");
        await shallow.GitAsync("push", Client.Remote("deepening"), "main");
        await shared.Browser.AssertSaysAsync(shared.Browser.Http(whole.Host), "version 2");

        // The rest is there, though on no branch any more: the server must not forget it for the pusher's sake.
        await whole.CommitAsync();
        await whole.GitAsync("push", "--quiet", "-o", "no-deploy", Client.Remote("deepening"), "main");
        await whole.GitAsync("push", "--quiet", "-o", "no-deploy", "--force", Client.Remote("deepening"), "HEAD^:main");
        var again = await Repository.WithFilesAsync(Client, "deepening-again");
        await again.GitAsync("fetch", "--quiet", "--depth=1", $"file://{whole.Folder}", "main");
        await again.GitAsync("reset", "--quiet", "--hard", "FETCH_HEAD");
        again.Replace("public/index.html", "version 2", "version 3");
        await again.CommitAsync();
        await again.GitAsync("push", "--force", Client.Remote("deepening"), "main");
        await shared.Browser.AssertSaysAsync(shared.Browser.Http(whole.Host), "version 3");
        Assert.False(File.Exists(Path.Combine(shared.Piku.Paths.Repos, "deepening/shallow")));
        await shallow.GitAsync("fetch", "--quiet", Client.Remote("deepening"), "main");
        Assert.Equal("4", (await shallow.GitAsync("rev-list", "--count", "FETCH_HEAD")).Trim());
        await Client.CommandAsync("destroy", "deepening");
    }

    [Fact]
    public async Task What_is_no_commit_or_no_text_is_refused_before_it_is_deployed()
    {
        var repository = await Repository.FromExampleAsync(Client, "static", "uncommitted");
        await repository.PushAsync();
        var good = await repository.HeadAsync();
        await repository.GitAsync("tag", "-a", "-m", "annotated", "v1");
        var tree = (await repository.GitAsync("rev-parse", "HEAD^{tree}")).Trim();
        foreach (var what in new[] { "v1:refs/heads/main", "v1:refs/heads/other", tree + ":refs/heads/tree" })
        {
            var refused = await TryAsync(repository, "push", "--force", Client.Remote("uncommitted"), what);
            Assert.False(refused.Status.Succeeded);
            Assert.DoesNotContain("Deploying", refused.Error, StringComparison.Ordinal);
        }
        Assert.Equal(good, await repository.RemoteHeadAsync());
        var latin = await Programs.CaptureAsync(new ProgramCall
        {
            Program = "/bin/sh",
            Arguments = ["-c", $"git push {Client.Remote("uncommitted")} \"main:refs/heads/$(printf 'latin\\351')\""],
            Folder = repository.Folder,
            Environment = Client.Environment,
        });
        Assert.False(latin.Status.Succeeded);
        Assert.Contains("Error: the name of the branch is not UTF-8", latin.Error, StringComparison.Ordinal);
        await Client.CommandAsync("destroy", "uncommitted");
    }

    [Fact]
    public async Task Any_other_name_is_a_branch_and_any_other_ref_is_only_stored()
    {
        var repository = await Repository.FromExampleAsync(Client, "static", "naming");
        await repository.PushAsync();
        Assert.Contains("Nothing to deploy", (await TryAsync(repository, "push", Client.Remote("naming"), "HEAD:refs/for/x", "HEAD:refs/notes/y")).Error, StringComparison.Ordinal);
        var version = 1;
        foreach (var branch in new[] { "größe/テスト-🚀", new string('l', 240), "HEAD", "-x", "with'quote\"and$(dollar)", "main.lock-not" })
        {
            repository.Replace("public/index.html", $"version {version}", $"version {++version}");
            await repository.CommitAsync();
            await repository.GitAsync("push", Client.Remote("naming"), $"HEAD:refs/heads/{branch}");
            await shared.Browser.AssertSaysAsync(shared.Browser.Http(repository.Host), $"version {version}");
            await Client.CommandAsync("deploy", "naming");
        }
        // A file system cannot have such a name, which git finds out last of all.
        repository.Replace("public/index.html", $"version {version}", "version too-long");
        await repository.CommitAsync();
        Assert.False((await TryAsync(repository, "push", Client.Remote("naming"), $"HEAD:refs/heads/{new string('l', 255)}")).Status.Succeeded);
        await shared.Browser.AssertSaysAsync(shared.Browser.Http(repository.Host), $"version {version}");
        // Where there is a branch "x/y" there can be no "x".
        Assert.False((await TryAsync(repository, "push", Client.Remote("naming"), "HEAD:refs/heads/größe")).Status.Succeeded);
        await shared.Browser.AssertSaysAsync(shared.Browser.Http(repository.Host), $"version {version}");
        await Client.CommandAsync("destroy", "naming");
    }

    [Fact]
    public async Task Hundreds_of_refs_and_a_mirror_deploy_main()
    {
        var repository = await Repository.FromExampleAsync(Client, "static", "mirrored");
        await repository.CommitAsync();
        await repository.GitAsync("commit", "--quiet", "--allow-empty", "-m", "again");
        var list = string.Concat(Enumerable.Range(0, 250).Select(i => $"create refs/tags/t{i} {{0}}\ncreate refs/heads/b{i} {{0}}\ncreate refs/remotes/origin/r{i} {{0}}\n"))
            .Replace("{0}", await repository.HeadAsync(), StringComparison.Ordinal);
        using var input = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(list));
        Assert.True((await Programs.CaptureAsync(Client.Git(repository.Folder, "update-ref", "--stdin") with { Input = input })).Status.Succeeded);

        var several = await TryAsync(repository, "push", Client.Remote("mirrored"), "refs/heads/b*:refs/heads/b*");
        Assert.False(several.Status.Succeeded);
        Assert.Contains("This push has several branches (b0, b1, b10, b100, b101, …)", several.Error, StringComparison.Ordinal);

        var clock = Stopwatch.StartNew();
        await repository.GitAsync("push", "--mirror", Client.Remote("mirrored"));
        TestContext.Current.TestOutputHelper!.WriteLine($"750 refs in {clock.Elapsed.TotalSeconds:0.0} s");
        await shared.Browser.AssertSaysAsync(shared.Browser.Http(repository.Host), "version 1");

        // A mirror deletes what its origin has not; what runs, runs on.
        await repository.GitAsync("checkout", "--quiet", "--detach");
        await repository.GitAsync("branch", "-D", "main");
        repository.Replace("public/index.html", "version 1", "version unborn");
        await repository.CommitAsync();
        Assert.False((await TryAsync(repository, "push", "--mirror", "--atomic", Client.Remote("mirrored"), "-o", "branch=none")).Status.Succeeded);
        await repository.GitAsync("push", "--mirror", "-o", "no-deploy", Client.Remote("mirrored"));
        Assert.Equal("", await repository.RemoteHeadAsync());
        await Client.CommandAsync("deploy", "mirrored");
        await Client.CommandAsync("restart", "mirrored");
        await shared.Browser.AssertSaysAsync(shared.Browser.Http(repository.Host), "version 1");
        await Client.CommandAsync("destroy", "mirrored");
    }

    private Task<CapturedRun> TryAsync(Repository repository, params string[] arguments) => Programs.CaptureAsync(Client.Git(repository.Folder, arguments));
}
