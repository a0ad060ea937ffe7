using Piku.Core.Machine;

namespace Piku.Tests.EndToEnd;

[NeedsMachine]
public sealed class PushTests(RunningPiku shared) : IClassFixture<RunningPiku>
{
    private PikuInstance Piku => shared.Piku;

    [Fact]
    public async Task A_failing_build_says_why_and_the_old_version_stays()
    {
        var browser = shared.Browser;
        var repository = await Repository.FromExampleAsync(Piku.Client, "python-wsgi", "fragile");
        await repository.PushAsync();
        var good = await repository.HeadAsync();

        repository.Replace("app.py", "VERSION = \"1\"", "VERSION = \"2\"");
        repository.Write("requirements.txt", "./vendor/is-not-here.whl\n");
        var refused = await repository.TryPushAsync();

        Assert.False(refused.Status.Succeeded);
        Assert.Contains("is-not-here", refused.Error, StringComparison.Ordinal);
        Assert.Equal(good, await repository.RemoteHeadAsync());
        await browser.AssertSaysAsync(browser.Http(repository.Host), "version 1");

        repository.Write("requirements.txt", "");
        await repository.PushAsync();
        await browser.AssertSaysAsync(browser.Http(repository.Host), "version 2");
        await Piku.Client.CommandAsync("destroy", "fragile");
    }

    /// <summary>The commit is still in quarantine then, and a build that asks git for it must not notice.</summary>
    [Fact]
    public async Task A_build_can_ask_git_which_commit_it_builds()
    {
        var repository = await Repository.WithFilesAsync(
            Piku.Client, "stamped", ("Procfile", "preflight: git status --porcelain\nrelease: git log -1 --format=%H\nworker: sleep 1000\n"), ("requirements.txt", ""));
        await repository.PushAsync();
        repository.Write("more", "text");
        var said = await repository.PushAsync();
        Assert.Contains(await repository.HeadAsync(), said, StringComparison.Ordinal);
        await Piku.Client.CommandAsync("destroy", "stamped");
    }

    [Theory]
    [InlineData("preflight: echo because; exit 3\nworker: sleep 1000\n")]
    [InlineData("release: echo because; exit 3\nworker: sleep 1000\n")]
    [InlineData("worker: echo because; exit 3\n")]
    public async Task A_first_push_that_fails_leaves_no_branch(string procfile)
    {
        var repository = await Repository.WithFilesAsync(Piku.Client, "stillborn", ("Procfile", procfile), ("requirements.txt", ""));
        var refused = await repository.TryPushAsync();
        Assert.False(refused.Status.Succeeded, refused.Error);
        Assert.Contains("because", refused.Error, StringComparison.Ordinal);
        Assert.Equal("", await repository.RemoteHeadAsync());
        Directory.Delete(repository.Folder, recursive: true);
    }

    [Theory]
    [InlineData("cron: 99 * * * * x\nworker: sleep 1000\n", "", "Procfile line 1")]
    [InlineData("worker: sleep 1000\n", "A=1\nhunter2\n", "ENV line 2")]
    [InlineData("# nothing\n", "", "Procfile")]
    public async Task A_malformed_file_is_named_with_its_line(string procfile, string env, string message)
    {
        var repository = await Repository.WithFilesAsync(
            Piku.Client, "malformed", ("Procfile", procfile), ("ENV", env), ("requirements.txt", ""));
        var refused = await repository.TryPushAsync();
        Assert.False(refused.Status.Succeeded, refused.Error);
        Assert.Contains(message, refused.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", refused.Error, StringComparison.Ordinal);
        Directory.Delete(repository.Folder, recursive: true);
    }

    [Fact]
    public async Task A_client_that_is_killed_leaves_no_process_and_no_lock()
    {
        var repository = await Repository.WithFilesAsync(
            Piku.Client, "interrupted",
            ("Procfile", "preflight: mkdir -p \"$DATA_ROOT\" && echo $$ > \"$DATA_ROOT/pid\" && exec sleep 1000\nworker: sleep 1000\n"),
            ("requirements.txt", ""));
        await repository.CommitAsync();
        var pidFile = Path.Combine(Piku.Paths.Data, "interrupted", "pid");
        var preflight = 0;
        await using (await ChildProcess.StartAsync(repository.Push()))
        {
            await Eventually.TrueAsync(
                () => File.Exists(pidFile) && int.TryParse(File.ReadAllText(pidFile), out preflight),
                TimeSpan.FromSeconds(60), () => "the preflight did not start");
        }

        await Eventually.TrueAsync(() => !Signals.IsAlive(preflight), TimeSpan.FromSeconds(20), () => "the preflight still runs");
        repository.Write("Procfile", "worker: sleep 1000\n");
        await repository.PushAsync();
        Assert.Equal(await repository.HeadAsync(), await repository.RemoteHeadAsync());
        await Piku.Client.CommandAsync("destroy", "interrupted");
    }

    [Fact]
    public async Task A_clone_is_what_was_pushed()
    {
        var repository = await Repository.FromExampleAsync(Piku.Client, "static", "cloned");
        await repository.PushAsync();
        var copy = Path.Combine(Piku.Client.Folder, "copy-of-cloned");
        var clone = await Programs.CaptureAsync(Piku.Client.Git(Piku.Client.Folder, "clone", "--quiet", Piku.Client.Remote("cloned"), copy));
        Assert.True(clone.Status.Succeeded, clone.Error);
        Assert.Equal(
            await File.ReadAllTextAsync(Path.Combine(repository.Folder, "public/index.html"), TestContext.Current.CancellationToken),
            await File.ReadAllTextAsync(Path.Combine(copy, "public/index.html"), TestContext.Current.CancellationToken));
        await Piku.Client.CommandAsync("destroy", "cloned");
    }
}
