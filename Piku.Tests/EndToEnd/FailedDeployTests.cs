using Piku.Core.Machine;

namespace Piku.Tests.EndToEnd;

/// <summary>Whatever goes wrong after the push has arrived: the old version runs on and the refs stay.</summary>
[NeedsMachine]
public sealed class FailedDeployTests(RunningPiku shared) : IClassFixture<RunningPiku>
{
    private PikuInstance Piku => shared.Piku;

    [Fact]
    public async Task A_worker_that_dies_at_once_leaves_its_last_words_and_the_old_version()
    {
        var repository = await Repository.FromExampleAsync(Piku.Client, "python-wsgi", "dying");
        await repository.PushAsync();
        var good = await repository.HeadAsync();

        repository.Write("app.py", "import not_a_module_anywhere\n");
        var refused = await repository.TryPushAsync();

        Assert.False(refused.Status.Succeeded, refused.Error);
        Assert.Contains("not_a_module_anywhere", refused.Error, StringComparison.Ordinal);
        Assert.Equal(good, await repository.RemoteHeadAsync());
        await shared.Browser.AssertSaysAsync(shared.Browser.Http(repository.Host), "version 1");
        await Piku.Client.CommandAsync("destroy", "dying");
    }

    [Fact]
    public async Task A_web_process_that_dies_at_once_is_refused()
    {
        var repository = await Repository.FromExampleAsync(Piku.Client, "node-web", "crashing");
        await repository.PushAsync();
        var server = await File.ReadAllTextAsync(Path.Combine(repository.Folder, "server.js"), TestContext.Current.CancellationToken);
        repository.Write("server.js", "throw new Error('no good today');\n");

        var refused = await repository.TryPushAsync();

        Assert.False(refused.Status.Succeeded, refused.Error);
        Assert.Contains("no good today", refused.Error, StringComparison.Ordinal);
        await shared.Browser.AssertSaysAsync(shared.Browser.Http(repository.Host), "version 1");
        repository.Write("server.js", server.Replace("version = \"1\"", "version = \"2\"", StringComparison.Ordinal));
        await repository.PushAsync();
        await shared.Browser.AssertSaysAsync(shared.Browser.Http(repository.Host), "version 2");
        await Piku.Client.CommandAsync("destroy", "crashing");
    }

    [Fact]
    public async Task A_site_that_nginx_refuses_is_refused_and_touches_no_other()
    {
        var other = await Repository.FromExampleAsync(Piku.Client, "static", "bystander");
        await other.PushAsync();
        var repository = await Repository.FromExampleAsync(Piku.Client, "static", "misguided");
        repository.Write("ENV", $"NGINX_SERVER_NAME={repository.Host}\nNGINX_INCLUDE_FILE=extra.conf\n");
        repository.Write("extra.conf", "this_is_no_directive on;\n");

        var refused = await repository.TryPushAsync();

        Assert.False(refused.Status.Succeeded, refused.Error);
        Assert.Contains("this_is_no_directive", refused.Error, StringComparison.Ordinal);
        await shared.Browser.AssertSaysAsync(shared.Browser.Http(other.Host), "version 1");
        await shared.Browser.AssertGoneAsync(repository.Host);
        await Piku.Client.CommandAsync("destroy", "misguided");
        await Piku.Client.CommandAsync("destroy", "bystander");
    }

    [Fact]
    public async Task Files_that_the_app_wrote_survive_a_failed_deploy()
    {
        var repository = await Repository.FromExampleAsync(Piku.Client, "python-wsgi", "writing");
        await repository.PushAsync();
        await Piku.Client.CommandAsync("run", "writing", "echo precious > notes.txt");
        repository.Write("Procfile", "wsgi: app:app\nrelease: exit 1\n");
        Assert.False((await repository.TryPushAsync()).Status.Succeeded);
        Assert.Equal("precious\n", await Piku.Client.CommandAsync("run", "writing", "cat notes.txt"));
        Assert.DoesNotContain("release", await Piku.Client.CommandAsync("run", "writing", "cat Procfile"), StringComparison.Ordinal);
        await Piku.Client.CommandAsync("destroy", "writing");
    }

    /// <summary>The worker reloads in its process, which keeps its environment; then it fails.</summary>
    [Fact]
    public async Task What_only_a_failed_version_had_is_not_in_the_environment_of_the_one_before()
    {
        const string Worker = "worker: env >>\"$DATA_ROOT/seen\"; echo end >>\"$DATA_ROOT/seen\"; [ -z \"$LEAK\" ] || exit 1; exec sleep 1000\n";
        var repository = await Repository.FromExampleAsync(Piku.Client, "python-wsgi", "forgetful");
        repository.Write("Procfile", "wsgi: app:app\n" + Worker);
        await repository.PushAsync();
        repository.Write("ENV", $"NGINX_SERVER_NAME={repository.Host}\nLEAK=1\n");

        Assert.False((await repository.TryPushAsync()).Status.Succeeded);

        var seen = Path.Combine(Piku.Paths.Data, "forgetful", "seen");
        var leaks = "";
        await Eventually.TrueAsync(
            () => (leaks = string.Concat(File.ReadAllText(seen).Split("end\n", StringSplitOptions.RemoveEmptyEntries)
                .Select(start => start.Contains("\nLEAK=1\n", StringComparison.Ordinal) ? 'x' : '-'))).TrimEnd('x') is ['-', 'x', .., '-'],
            TimeSpan.FromSeconds(30), () => $"the worker has started {leaks}");
        await Piku.Client.CommandAsync("destroy", "forgetful");
    }

    [Fact]
    public async Task A_daemon_killed_in_the_middle_puts_the_old_version_back_when_it_starts()
    {
        await using var piku = await PikuInstance.StartAsync();
        using var browser = new Browser(piku);
        var repository = await Repository.FromExampleAsync(piku.Client, "python-wsgi", "halfway");
        await repository.PushAsync();
        var good = await repository.HeadAsync();
        repository.Replace("app.py", "VERSION = \"1\"", "VERSION = \"2\"");
        repository.Write("Procfile", "wsgi: app:app\nrelease: touch \"$DATA_ROOT/here\" && exec sleep 1000\n");
        await repository.CommitAsync();
        await using (await ChildProcess.StartAsync(repository.Push()))
        {
            var here = Path.Combine(piku.Paths.Data, "halfway", "here");
            await Eventually.TrueAsync(() => File.Exists(here), TimeSpan.FromSeconds(60), () => "the release command did not start");
            await piku.KillDaemonAsync();
        }

        await piku.StartDaemonAsync();

        await browser.AssertSaysAsync(browser.Http(repository.Host), "version 1");
        Assert.Equal(good, await repository.RemoteHeadAsync());
        Assert.DoesNotContain("sleep", await piku.Client.CommandAsync("run", "halfway", "cat Procfile"), StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(piku.Paths.Run, "push")));
        repository.Write("Procfile", "wsgi: app:app\n");
        await repository.PushAsync();
        await browser.AssertSaysAsync(browser.Http(repository.Host), "version 2");
    }
}
