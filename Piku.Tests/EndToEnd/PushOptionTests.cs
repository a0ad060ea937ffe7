using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Tests.EndToEnd;

/// <summary>What <c>git push</c> can say with options, and what git can push beside a branch that only grows.</summary>
[NeedsMachine]
public sealed class PushOptionTests(RunningPiku shared) : IClassFixture<RunningPiku>
{
    private Client Client => shared.Piku.Client;

    [Fact]
    public async Task Options_decide_whether_what_and_how_is_deployed()
    {
        var repository = await Repository.FromExampleAsync(Client, "static", "optional");
        await repository.PushAsync();
        repository.Replace("public/index.html", "version 1", "version 2");
        await repository.CommitAsync();

        Assert.Contains("as you asked (no-deploy)", await GitAsync(repository, "push", "-o", "no-deploy", Client.Remote("optional"), "main"), StringComparison.Ordinal);
        Assert.Equal(await repository.HeadAsync(), await repository.RemoteHeadAsync());
        await shared.Browser.AssertSaysAsync(shared.Browser.Http(repository.Host), "version 1");
        await Client.CommandAsync("deploy", "optional");
        await shared.Browser.AssertSaysAsync(shared.Browser.Http(repository.Host), "version 2");

        repository.Replace("public/index.html", "version 2", "version 3");
        await repository.CommitAsync();
        var absent = await TryAsync(repository, "push", "-o", "branch=absent", Client.Remote("optional"), "main");
        Assert.Contains("this push has no branch 'absent'", absent.Error, StringComparison.Ordinal);
        await GitAsync(repository, "push", "-o", "branch=next", Client.Remote("optional"), "main:one", "main:next");
        await shared.Browser.AssertSaysAsync(shared.Browser.Http(repository.Host), "version 3");
        await Client.CommandAsync("destroy", "optional");
    }

    [Fact]
    public async Task Rebuild_installs_everything_anew_and_nothing_else_does()
    {
        var repository = await Repository.WithFilesAsync(Client, "rebuilt", ("Procfile", "worker: exec sleep 1000\n"), ("requirements.txt", ""));
        await repository.PushAsync();
        var mark = Path.Combine(shared.Piku.Paths.Env(AppName.Parse("rebuilt")), "left-by-hand");
        await Client.CommandAsync("run", "rebuilt", $"touch {mark}");
        await Client.CommandAsync("config:set", "rebuilt", "MOOD=calm");
        Assert.True(File.Exists(mark));
        await repository.CommitAsync();
        Assert.Contains("requirements.txt names no packages", await GitAsync(repository, "push", "-o", "rebuild", Client.Remote("rebuilt"), "main"), StringComparison.Ordinal);
        Assert.False(File.Exists(mark));
        Assert.Equal("MOOD=calm\n", await Client.CommandAsync("config", "rebuilt"));
        await Client.CommandAsync("destroy", "rebuilt");
    }

    [Fact]
    public async Task Force_shallow_atomic_and_repeated_pushes_end_with_refs_and_app_agreeing()
    {
        var repository = await Repository.FromExampleAsync(Client, "static", "gitting");
        var remote = Client.Remote("gitting");
        var empty = await TryAsync(repository, "push", remote, "main");
        Assert.False(empty.Status.Succeeded);
        await repository.PushAsync();
        Assert.Contains("Everything up-to-date", await GitAsync(repository, "push", remote, "main"), StringComparison.Ordinal);
        Assert.Contains("Deploying", await Client.CommandAsync("deploy", "gitting"), StringComparison.Ordinal);

        repository.Replace("public/index.html", "version 1", "version forced");
        await GitAsync(repository, "commit", "--quiet", "--all", "--amend", "-m", "other");
        Assert.False((await TryAsync(repository, "push", remote, "main")).Status.Succeeded);
        await GitAsync(repository, "push", "--force", remote, "main");
        await shared.Browser.AssertSaysAsync(shared.Browser.Http(repository.Host), "version forced");

        // The commit is on the server already, under another name.
        await GitAsync(repository, "push", "-o", "no-deploy", remote, "main:kept");
        await GitAsync(repository, "push", remote, "main:again");
        repository.Replace("public/index.html", "version forced", "version atomic");
        await repository.CommitAsync();
        await GitAsync(repository, "tag", "v1");
        await GitAsync(repository, "push", "--atomic", remote, "main", "v1", ":again");
        await shared.Browser.AssertSaysAsync(shared.Browser.Http(repository.Host), "version atomic");

        var shallow = Path.Combine(Client.Folder, "gitting-shallow");
        await GitAsync(repository, "clone", "--quiet", "--depth=1", $"file://{repository.Folder}", shallow);
        await File.WriteAllTextAsync(Path.Combine(shallow, "public/index.html"), "version shallow", TestContext.Current.CancellationToken);
        var commit = await Programs.CaptureAsync(Client.Git(shallow, "commit", "--quiet", "--all", "-m", "shallow"));
        Assert.True(commit.Status.Succeeded, commit.Error);
        var push = await Programs.CaptureAsync(Client.Git(shallow, "push", remote, "main"));
        Assert.True(push.Status.Succeeded, push.Error);
        await shared.Browser.AssertSaysAsync(shared.Browser.Http(repository.Host), "version shallow");
        await Client.CommandAsync("destroy", "gitting");
    }

    private Task<CapturedRun> TryAsync(Repository repository, params string[] arguments) => Programs.CaptureAsync(Client.Git(repository.Folder, arguments));

    private async Task<string> GitAsync(Repository repository, params string[] arguments)
    {
        var run = await TryAsync(repository, arguments);
        Assert.True(run.Status.Succeeded, $"git {string.Join(' ', arguments)}: {run.Status}\n{run.Output}{run.Error}");
        return run.Output + run.Error;
    }
}
