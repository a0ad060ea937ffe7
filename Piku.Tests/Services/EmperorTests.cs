using System.Net;
using Piku.Core.Formats;
using Piku.Core.Machine;
using Piku.Core.Services;

namespace Piku.Tests.Services;

/// <summary>Vassals that come up, under the real uWSGI emperor.</summary>
[NeedsMachine]
public sealed class EmperorTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Nothing_waits_for_the_scan()
    {
        await using var piku = new Installation();
        // An emperor that by itself looks once an hour.
        var files = new EmperorFiles(piku.Paths);
        File.WriteAllText(files.Config, files.Settings() + "emperor-freq = 3600\n");
        AtomicFile.Write(files.Wrapper, files.WrapperScript(), AtomicFile.Executable);
        await using var emperor = await ChildProcess.StartAsync(new()
        {
            Program = "uwsgi",
            Arguments = ["--ini", files.Config],
            Folder = "/",
            Environment = Installation.ToolEnvironment,
        });
        await Eventually.TrueAsync(() => piku.Emperor.TellAsync(Cancelled));
        var port = Installation.FreePort();
        foreach (var answer in new[] { "one", "two" })
        {
            Assert.Empty(await piku.UpAsync(piku.Emperor.Install(piku.Wsgi("blog", port, Installation.Answering(answer)))));
            Assert.Equal($"200 {answer}", await Installation.GetAsync(port));
        }
        piku.Emperor.Remove("blog");
        await GoneAsync(piku, "blog");
    }

    [Fact]
    public async Task Of_versions_within_one_second_the_last_one_runs()
    {
        await using var piku = await Installation.WithEmperorAsync();
        var port = Installation.FreePort();
        InstalledVassal? last = null;
        for (var version = 1; version <= 3; version++)
            last = piku.Emperor.Install(piku.Wsgi("blog", port, Installation.Answering($"version {version}")));
        Assert.Empty(await piku.UpAsync(last!));
        Assert.Equal("200 version 3", await Installation.GetAsync(port));
        Assert.Empty(await piku.UpAsync(piku.Emperor.Install(piku.Wsgi("blog", port, Installation.Answering("version 4")))));
        Assert.Equal("200 version 4", await Installation.GetAsync(port));
        Assert.Equal(AtomicFile.Secret, File.GetUnixFileMode(new EmperorFiles(piku.Paths).Ini("blog")));
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

    [Fact]
    public async Task A_cheap_app_is_up_before_it_has_a_worker()
    {
        await using var piku = await Installation.WithEmperorAsync();
        var port = Installation.FreePort();
        var cheap = piku.Wsgi("blog", port, Installation.Answering("hello"));
        cheap = new("blog", [.. cheap.Settings, UwsgiSetting.Text("cheap", "true"), UwsgiSetting.Text("idle", "60")], cheap.Readiness);
        Assert.Empty(await piku.UpAsync(piku.Emperor.Install(cheap)));
        Assert.Equal("200 hello", await Installation.GetAsync(port));
        piku.Wsgi("blog", port, "import no_such_module\n");
        Assert.Single(await piku.UpAsync(piku.Emperor.Install(cheap)));
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
        await GoneAsync(piku, "foo_wsgi.1");
        Assert.Equal("200 foobar", await Installation.GetAsync(two));
        var status = await piku.Emperor.StatusAsync(Cancelled);
        Assert.Equal(["foo_wsgi.11"], status!.Vassals.Select(vassal => vassal.Name));
        Assert.False(piku.Emperor.Remove("foo_wsgi.1"));
    }

    private static Task GoneAsync(Installation piku, string vassal) =>
        Eventually.TrueAsync(async () => await piku.Emperor.StatusAsync(Cancelled) is not { } status || status.Find(vassal) is null, TimeSpan.FromSeconds(10));
}
