namespace Piku.Tests.EndToEnd;

[NeedsMachine]
public sealed class ExampleTests(RunningPiku shared) : IClassFixture<RunningPiku>
{
    [Theory]
    [InlineData("python-wsgi", "app.py", "VERSION = \"1\"", "VERSION = \"2\"")]
    [InlineData("node-web", "server.js", "version = \"1\"", "version = \"2\"")]
    [InlineData("static", "public/index.html", "version 1", "version 2")]
    [InlineData("worker-cron", "web.py", "version 1", "version 2")]
    public async Task An_example_goes_live_changes_and_is_destroyed(string example, string file, string old, string by)
    {
        var (piku, browser, app) = (shared.Piku, shared.Browser, $"x-{example}");
        var repository = await Repository.FromExampleAsync(piku.Client, example, app);

        await repository.PushAsync();
        await browser.AssertSaysAsync(browser.Http(repository.Host), "version 1");
        await browser.AssertSaysAsync(browser.Https(repository.Host), "version 1");
        Assert.Equal(await repository.HeadAsync(), await repository.RemoteHeadAsync());
        Assert.Contains(app, await piku.Client.CommandAsync("apps"), StringComparison.Ordinal);

        repository.Replace(file, old, by);
        await repository.PushAsync();
        await browser.AssertSaysAsync(browser.Https(repository.Host), "version 2");

        var data = Path.Combine(piku.Paths.Data, app);
        Directory.CreateDirectory(data);
        await piku.Client.CommandAsync("destroy", app);
        await browser.AssertGoneAsync(repository.Host);
        Assert.True(Directory.Exists(data), "destroy keeps the data");
        // Cache is kept like data, and the home, empty, says whose the data is; a lock file outlives its holders, or two of them could each hold "the" lock.
        Assert.Equal([data], Directory.EnumerateFileSystemEntries(piku.Paths.Root, $"{app}*", SearchOption.AllDirectories)
            .Where(path => !path.StartsWith(piku.Paths.Cache, StringComparison.Ordinal) && !path.StartsWith(piku.Paths.Homes, StringComparison.Ordinal) && !path.StartsWith(piku.Paths.Run, StringComparison.Ordinal)));
        Assert.DoesNotContain(app, await piku.Client.CommandAsync("apps"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_worker_works_beside_the_web_process()
    {
        var (piku, browser) = (shared.Piku, shared.Browser);
        var repository = await Repository.FromExampleAsync(piku.Client, "worker-cron", "worker");
        await repository.PushAsync();
        await browser.AssertSaysAsync(browser.Http(repository.Host), "worker ");
        await piku.Client.CommandAsync("destroy", "worker");
    }

    [Fact]
    public async Task A_static_site_shows_its_folder_and_nothing_else()
    {
        var (piku, browser) = (shared.Piku, shared.Browser);
        var repository = await Repository.FromExampleAsync(piku.Client, "static", "shop-window");
        await repository.PushAsync();
        await browser.AssertSaysAsync(browser.Http(repository.Host, "/style.css"), "sans-serif");
        foreach (var path in (string[])["/ENV", "/Procfile", "/../ENV", "/%2e%2e/ENV", "/.git/config", "/style.css/../../ENV"])
            Assert.NotEqual(200, (await browser.GetAsync(browser.Http(repository.Host, path))).Status);
        await piku.Client.CommandAsync("destroy", "shop-window");
    }
}
