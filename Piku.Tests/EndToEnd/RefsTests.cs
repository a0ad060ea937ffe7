namespace Piku.Tests.EndToEnd;

/// <summary>What a push may contain, and what of it is deployed (D7).</summary>
[NeedsMachine]
public sealed class RefsTests(RunningPiku shared) : IClassFixture<RunningPiku>
{
    private Client Client => shared.Piku.Client;

    [Fact]
    public async Task Tags_and_deletions_are_stored_and_deploy_nothing()
    {
        var repository = await Repository.FromExampleAsync(Client, "static", "tagged");
        await repository.PushAsync();
        await GitAsync(repository, "tag", "v1");
        Assert.Contains("Nothing to deploy", await GitAsync(repository, "push", Client.Remote("tagged"), "v1"), StringComparison.Ordinal);
        await GitAsync(repository, "push", Client.Remote("tagged"), "main:other");
        await GitAsync(repository, "push", Client.Remote("tagged"), ":other", ":main");
        Assert.Equal("", await repository.RemoteHeadAsync());
        await shared.Browser.AssertSaysAsync(shared.Browser.Http(repository.Host), "version 1");
        await Client.CommandAsync("destroy", "tagged");
    }

    [Fact]
    public async Task Of_several_branches_main_is_deployed_and_a_pinned_one_before_it()
    {
        var repository = await Repository.FromExampleAsync(Client, "static", "several");
        await repository.CommitAsync();
        await GitAsync(repository, "branch", "main-only");
        await GitAsync(repository, "checkout", "--quiet", "-b", "live");
        repository.Replace("public/index.html", "version 1", "version live");
        await repository.CommitAsync();
        await GitAsync(repository, "push", Client.Remote("several"), "main", "live");
        await shared.Browser.AssertSaysAsync(shared.Browser.Http(repository.Host), "version 1");

        await Client.CommandAsync("config:set", "several", "PIKU_DEPLOY_BRANCH=live");
        await GitAsync(repository, "commit", "--quiet", "--allow-empty", "-m", "again");
        await GitAsync(repository, "push", Client.Remote("several"), "main", "live");
        await shared.Browser.AssertSaysAsync(shared.Browser.Http(repository.Host), "version live");
        await Client.CommandAsync("destroy", "several");
    }

    [Fact]
    public async Task A_second_push_waits_and_says_for_whom()
    {
        var repository = await Repository.WithFilesAsync(
            Client, "queued",
            ("Procfile", "preflight: touch \"$DATA_ROOT/at-it\"; while [ ! -e \"$DATA_ROOT/go-on\" ]; do sleep 0.05; done\nworker: sleep 1000\n"),
            ("package.json", "{}"));
        await repository.CommitAsync();
        var data = shared.Piku.Paths.AppData(Core.Model.AppName.Parse("queued"));
        var first = Programs.CaptureAsync(repository.Push());
        await Eventually.TrueAsync(() => File.Exists(Path.Combine(data, "at-it")), TimeSpan.FromSeconds(60));
        var second = Programs.CaptureAsync(Client.Git(repository.Folder, "push", Client.Remote("queued"), "main:next"));
        var lockFile = shared.Piku.Paths.AppLock(Core.Model.AppName.Parse("queued"));
        await Eventually.TrueAsync(() => ProcessesWaitingFor(lockFile) >= 2, TimeSpan.FromSeconds(30), () => "nobody waits");
        await File.WriteAllTextAsync(Path.Combine(data, "go-on"), "", TestContext.Current.CancellationToken);

        Assert.True((await first).Status.Succeeded, (await first).Error);
        Assert.True((await second).Status.Succeeded, (await second).Error);
        Assert.Contains("Waiting for the push by ada", (await second).Error, StringComparison.Ordinal);
        await Client.CommandAsync("destroy", "queued");
    }

    [Fact]
    public async Task An_archive_is_what_was_pushed()
    {
        var repository = await Repository.FromExampleAsync(Client, "static", "archived");
        await repository.PushAsync();
        var archive = Path.Combine(Client.Folder, "archived.tar");
        await GitAsync(repository, "archive", $"--remote={Client.Remote("archived")}", $"--output={archive}", "main");
        Assert.Contains("public/index.html", await Programs.RunAsync("tar", ["-tf", archive]), StringComparison.Ordinal);
        await Client.CommandAsync("destroy", "archived");
    }

    /// <summary>Both pushes have reached the server when each has its git receive-pack in front of its hook.</summary>
    private int ProcessesWaitingFor(string lockFile) =>
        File.Exists(lockFile) ? Directory.EnumerateDirectories(Path.Combine(shared.Piku.Paths.Run, "push")).Count() : 0;

    private async Task<string> GitAsync(Repository repository, params string[] arguments)
    {
        var run = await Programs.CaptureAsync(Client.Git(repository.Folder, arguments));
        Assert.True(run.Status.Succeeded, $"git {string.Join(' ', arguments)}: {run.Status}\n{run.Output}{run.Error}");
        return run.Output + run.Error;
    }
}
