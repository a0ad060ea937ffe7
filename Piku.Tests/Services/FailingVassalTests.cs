using System.Net;
using Piku.Core.Services;

namespace Piku.Tests.Services;

/// <summary>Vassals that do not come up, under the real uWSGI emperor.</summary>
[NeedsMachine]
public sealed class FailingVassalTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

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
