using System.Net;
using Piku.Core.Formats;
using Piku.Core.Machine;
using Piku.Core.Services;

namespace Piku.Tests.Services;

/// <summary>With the real uWSGI emperor.</summary>
public sealed class EmperorTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_new_vassal_does_not_wait_for_the_scan()
    {
        await using var piku = await Installation.WithEmperorAsync();
        var port = Installation.FreePort();
        // The emperor scans every three seconds. Five starts that waited for it would take at least six.
        var start = TimeProvider.System.GetTimestamp();
        for (var i = 1; i <= 5; i++)
        {
            Assert.Empty(await piku.UpAsync(piku.Emperor.Install(piku.Wsgi("blog", port, Installation.Answering("hello")))));
            Assert.Equal("200 hello", await Installation.GetAsync(port));
            piku.Emperor.Remove("blog");
            Assert.True(await piku.Emperor.WaitUntilGoneAsync(["blog"], TimeSpan.FromSeconds(10), Cancelled));
        }
        Assert.InRange(TimeProvider.System.GetElapsedTime(start).TotalSeconds, 0, 20);
    }

    [Fact]
    public async Task Of_versions_within_one_second_the_last_one_runs()
    {
        await using var piku = await Installation.WithEmperorAsync();
        var port = Installation.FreePort();
        InstalledVassal? last = null;
        for (var version = 1; version <= 3; version++)
            last = piku.Emperor.Install(piku.Wsgi("blog", port, Installation.Answering("hello")) with
            {
                Settings = [.. piku.Wsgi("blog", port, Installation.Answering($"version {version}")).Settings],
            });
        Assert.Empty(await piku.UpAsync(last!));
        Assert.Equal("200 version 3", await Installation.GetAsync(port));
        Assert.Empty(await piku.UpAsync(piku.Emperor.Install(piku.Wsgi("blog", port, Installation.Answering("version 4")))));
        Assert.Equal("200 version 4", await Installation.GetAsync(port));
        Assert.Equal(AtomicFile.Secret, File.GetUnixFileMode(new EmperorFiles(piku.Paths).Ini("blog")));
    }

    [Fact]
    public async Task An_app_that_cannot_be_loaded_fails_and_the_next_version_recovers()
    {
        await using var piku = await Installation.WithEmperorAsync();
        var port = Installation.FreePort();
        Assert.Equal(
            [new VassalFailure("blog", "ended while it was starting")],
            await piku.UpAsync(piku.Emperor.Install(piku.Wsgi("blog", port, "import no_such_module\n"))));
        Assert.Empty(await piku.UpAsync(piku.Emperor.Install(piku.Wsgi("blog", port, Installation.Answering("good")))));
        Assert.Equal("200 good", await Installation.GetAsync(port));
        Assert.Single(await piku.UpAsync(piku.Emperor.Install(piku.Wsgi("blog", port, "syntax error"))));
        Assert.Empty(await piku.UpAsync(piku.Emperor.Install(piku.Wsgi("blog", port, Installation.Answering("good again")))));
        Assert.Equal("200 good again", await Installation.GetAsync(port));
    }

    [Fact]
    public async Task A_port_in_use_fails()
    {
        await using var piku = await Installation.WithEmperorAsync();
        var port = Installation.FreePort();
        Assert.Empty(await piku.UpAsync(piku.Emperor.Install(piku.Wsgi("blog", port, Installation.Answering("hello")))));
        Assert.Equal(
            [new VassalFailure("shop", "ended while it was starting")],
            await piku.UpAsync(piku.Emperor.Install(piku.Wsgi("shop", port, Installation.Answering("hello")))));
        Assert.Equal("200 hello", await Installation.GetAsync(port));
    }

    [Fact]
    public async Task A_web_command_is_up_when_it_listens()
    {
        await using var piku = await Installation.WithEmperorAsync();
        var port = Installation.FreePort();
        var listening = new Readiness.Listening(new(IPAddress.Loopback, port));
        Assert.Empty(await piku.UpAsync(piku.Emperor.Install(piku.Command("web", Installation.Serving(port), listening))));
        Assert.True(Installation.Accepts(port));
        // Its successor on the same port is another process, not the old one that still listens.
        var before = piku.Processes();
        Assert.Empty(await piku.UpAsync(piku.Emperor.Install(piku.Command("web", Installation.Serving(port), listening))));
        Assert.True(Installation.Accepts(port));
        Assert.NotEqual(before, piku.Processes());
    }

    [Theory]
    [InlineData("exit 3")]
    [InlineData("/no/such/program")]
    [InlineData("sleep 0.2")]
    public async Task A_command_that_ends_at_once_fails(string command)
    {
        await using var piku = await Installation.WithEmperorAsync();
        foreach (Readiness readiness in new Readiness[]
        {
            new Readiness.Listening(new(IPAddress.Loopback, Installation.FreePort())), new Readiness.Running(TimeSpan.FromSeconds(1)),
        })
        {
            // Twice: new, and as the successor of one that works.
            var failure = Assert.Single(await piku.UpAsync(piku.Emperor.Install(piku.Command("worker", command, readiness))));
            Assert.Equal(new("worker", "ran a command that ended at once"), failure);
            Assert.Empty(await piku.UpAsync(piku.Emperor.Install(piku.Command("worker", "sleep 60", new Readiness.Running(TimeSpan.Zero)))));
        }
    }

    [Fact]
    public async Task A_web_command_that_never_listens_says_where_it_should()
    {
        await using var piku = await Installation.WithEmperorAsync();
        var address = new IPEndPoint(IPAddress.Loopback, Installation.FreePort());
        var installed = piku.Emperor.Install(piku.Command("web", "sleep 60", new Readiness.Listening(address)));
        var failure = Assert.Single(await piku.Emperor.WaitUntilReadyAsync([installed], TimeSpan.FromSeconds(1), Cancelled));
        Assert.Equal($"does not listen on {address} after 1 seconds", failure.Reason);
    }

    [Fact]
    public async Task Cron_is_up_when_it_waits()
    {
        await using var piku = await Installation.WithEmperorAsync();
        var cron = piku.Command("cron", "true", new Readiness.Started());
        cron = cron with { Settings = [.. cron.Settings.Where(s => s.Option != "attach-daemon"), UwsgiSetting.Text("cron", "0 0 1 1 -1 true")] };
        Assert.Empty(await piku.UpAsync(piku.Emperor.Install(cron)));
        Assert.Empty(await piku.UpAsync(piku.Emperor.Install(cron)));
    }

    [Fact]
    public async Task A_vassal_of_a_like_name_is_another()
    {
        await using var piku = await Installation.WithEmperorAsync();
        var (one, two) = (Installation.FreePort(), Installation.FreePort());
        Assert.Empty(await piku.UpAsync(
            piku.Emperor.Install(piku.Wsgi("foo_wsgi.1", one, Installation.Answering("foo"))),
            piku.Emperor.Install(piku.Wsgi("foo_wsgi.11", two, Installation.Answering("foobar")))));
        Assert.True(piku.Emperor.Remove("foo_wsgi.1"));
        Assert.True(await piku.Emperor.WaitUntilGoneAsync(["foo_wsgi.1"], TimeSpan.FromSeconds(10), Cancelled));
        Assert.Equal("200 foobar", await Installation.GetAsync(two));
        var status = await piku.Emperor.StatusAsync(Cancelled);
        Assert.Equal(["foo_wsgi.11"], status!.Vassals.Select(vassal => vassal.Name));
        Assert.False(piku.Emperor.Remove("foo_wsgi.1"));
    }

    [Fact]
    public async Task Without_an_emperor_nothing_is_up_and_it_is_said()
    {
        await using var piku = new Installation();
        Assert.Null(await piku.Emperor.StatusAsync(Cancelled));
        Assert.False(await piku.Emperor.TellAsync(Cancelled));
        var installed = piku.Emperor.Install(piku.Wsgi("blog", 1, ""));
        var failure = Assert.Single(await piku.Emperor.WaitUntilReadyAsync([installed], TimeSpan.Zero, Cancelled));
        Assert.Contains("does not answer", failure.Reason, StringComparison.Ordinal);
    }
}
