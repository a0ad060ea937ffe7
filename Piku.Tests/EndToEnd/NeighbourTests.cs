namespace Piku.Tests.EndToEnd;

/// <summary>Two apps of which one's name begins with the other's.</summary>
[NeedsMachine]
public sealed class NeighbourTests(RunningPiku shared) : IClassFixture<RunningPiku>
{
    [Fact]
    public async Task What_is_done_to_foo_never_touches_foobar()
    {
        var (client, browser) = (shared.Piku.Client, shared.Browser);
        var foo = await Repository.FromExampleAsync(client, "node-web", "foo");
        var foobar = await Repository.FromExampleAsync(client, "node-web", "foobar");
        await foo.PushAsync();
        await foobar.PushAsync();
        await browser.AssertSaysAsync(browser.Http(foo.Host), "version 1");
        var neighbour = await ProcessOf(foobar);

        await client.CommandAsync("ps:scale", "foo", "web=2");
        Assert.Equal(neighbour, await ProcessOf(foobar));
        await client.CommandAsync("restart", "foo");
        Assert.Equal(neighbour, await ProcessOf(foobar));
        await client.CommandAsync("stop", "foo");
        Assert.Equal(neighbour, await ProcessOf(foobar));
        await browser.AssertGoneAsync(foo.Host);
        await client.CommandAsync("restart", "foo");
        await browser.AssertSaysAsync(browser.Http(foo.Host), "version 1");
        await client.CommandAsync("destroy", "foo");
        Assert.Equal(neighbour, await ProcessOf(foobar));
        await browser.AssertGoneAsync(foo.Host);

        // And the other way round.
        await foo.PushAsync();
        await browser.AssertSaysAsync(browser.Http(foo.Host), "version 1");
        await client.CommandAsync("destroy", "foobar");
        await browser.AssertSaysAsync(browser.Http(foo.Host), "version 1");
        await client.CommandAsync("destroy", "foo");

        async Task<string> ProcessOf(Repository app)
        {
            await browser.AssertSaysAsync(browser.Http(app.Host), "version 1");
            var pids = Programs.RunningWith("server.js").Where(pid => WorksIn(pid, app.App)).ToArray();
            return string.Join(' ', pids.Order());
        }

        static bool WorksIn(int process, string app) =>
            File.ResolveLinkTarget($"/proc/{process}/cwd", returnFinalTarget: false) is { } folder && folder.Name == app;
    }
}
