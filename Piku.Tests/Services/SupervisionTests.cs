using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Piku.Core.Machine;
using Piku.Core.Model;
using Piku.Core.Services;
using Piku.Server.Hosting.Supervision;
using Piku.Tests.Machine;

namespace Piku.Tests.Services;

/// <summary>The emperor and nginx as children of ours.</summary>
[NeedsMachine]
public sealed class SupervisionTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_emperor_that_is_killed_comes_back_with_its_apps_and_leaves_nothing()
    {
        await using var piku = await Installation.WithEmperorAsync();
        var (wsgi, web) = (Installation.FreePort(), Installation.FreePort());
        Assert.Empty(await piku.UpAsync(
            piku.Emperor.Install(piku.Wsgi("blog", wsgi, Installation.Answering("hello"))),
            piku.Emperor.Install(piku.Command("web", Installation.ServingBehindAShell(web), new Readiness.Listening(new(IPAddress.Loopback, web))))));
        var before = piku.Processes();
        var emperor = (await piku.Emperor.StatusAsync(Cancelled))!.ProcessId;
        Signals.Send(emperor, Signals.Kill);
        await Eventually.TrueAsync(async () => await piku.Emperor.StatusAsync(Cancelled) is { } status && status.ProcessId != emperor);
        await Eventually.TrueAsync(async () => Installation.Accepts(wsgi) && await Installation.GetAsync(wsgi) == "200 hello");
        await Eventually.TrueAsync(() => Installation.Accepts(web));
        Assert.DoesNotContain(before, ProcessTable.IsRunning);
    }

    [Fact]
    public async Task Stopping_the_emperor_leaves_nothing()
    {
        await using var piku = await Installation.WithEmperorAsync();
        var (wsgi, web) = (Installation.FreePort(), Installation.FreePort());
        Assert.Empty(await piku.UpAsync(
            piku.Emperor.Install(piku.Wsgi("blog", wsgi, Installation.Answering("hello"))),
            piku.Emperor.Install(piku.Command("web", Installation.ServingBehindAShell(web), new Readiness.Listening(new(IPAddress.Loopback, web))))));
        Assert.NotEmpty(piku.Processes());
        await piku.StopAsync();
        await Eventually.TrueAsync(() => piku.Processes().Count == 0);
        Assert.False(Installation.Accepts(wsgi) || Installation.Accepts(web));
    }

    [Fact]
    public async Task Nginx_that_is_killed_comes_back_with_its_sites()
    {
        await using var piku = await Installation.WithNginxAsync();
        await piku.Nginx.ApplySiteAsync(AppName.Parse("blog"), NginxTests.Site(piku, "blog.test", "hello"), Cancelled);
        var master = new NginxMaster(new(piku.Paths), TimeProvider.System);
        var before = master.ProcessId!.Value;
        Signals.Send(before, Signals.Kill);
        await Eventually.TrueAsync(() => master.ProcessId is { } now && now != before && Installation.Accepts(piku.Options.HttpPort));
        Assert.Equal("200 hello", await Installation.GetAsync(piku.Options.HttpPort, "blog.test"));
    }

    /// <summary>It reads its sites, and only then tries for seconds to listen; until it does, nobody can tell it of a change.</summary>
    [Fact]
    public async Task What_changes_while_nginx_waits_for_its_port_is_served_when_it_has_it()
    {
        await using var piku = await Installation.WithNginxAsync();
        await piku.Nginx.ApplySiteAsync(AppName.Parse("blog"), NginxTests.Site(piku, "blog.test", "before"), TestContext.Current.CancellationToken);
        var log = new NginxFiles(piku.Paths).Log;
        using (var port = new TcpListener(IPAddress.Any, piku.Options.HttpPort))
        {
            Signals.Send(new NginxMaster(new(piku.Paths), TimeProvider.System).ProcessId!.Value, Signals.Kill);
            await Eventually.TrueAsync(() => TryStart(port));
            var length = new FileInfo(log).Length;
            await Eventually.TrueAsync(() => File.ReadAllText(log)[(int)length..].Contains("bind()", StringComparison.Ordinal), TimeSpan.FromSeconds(20));
            await piku.Nginx.ApplySiteAsync(AppName.Parse("blog"), NginxTests.Site(piku, "blog.test", "after"), TestContext.Current.CancellationToken);
        }
        await Eventually.TrueAsync(() => Installation.Accepts(piku.Options.HttpPort), TimeSpan.FromSeconds(20));
        await Eventually.TrueAsync(async () => await Installation.GetAsync(piku.Options.HttpPort, "blog.test") == "200 after");

        static bool TryStart(TcpListener listener)
        {
            try
            {
                listener.Start();
                return true;
            }
            catch (SocketException)
            {
                return false;
            }
        }
    }

    [Fact]
    public async Task Stopping_nginx_leaves_nothing()
    {
        await using var piku = await Installation.WithNginxAsync();
        var group = ProcessTable.Find(new NginxMaster(new(piku.Paths), TimeProvider.System).ProcessId!.Value)!.Group;
        await piku.StopAsync();
        await Eventually.TrueAsync(() => ChildProcessEndTests.IsEmpty(group));
    }

    [Fact]
    public async Task When_we_are_killed_emperor_vassals_and_nginx_end()
    {
        await using var piku = new Installation();
        await using var host = await DoomedHost.StartAsync(
            $"{typeof(SupervisionTests).FullName}.{nameof(Supervises_until_it_is_killed)}", piku.Paths.Root);
        var groups = host.Report.Split(' ').Select(int.Parse).ToList();
        Assert.NotEmpty(piku.Processes());
        Assert.DoesNotContain(groups, ChildProcessEndTests.IsEmpty);
        host.Kill();
        await Eventually.TrueAsync(() => groups.TrueForAll(ChildProcessEndTests.IsEmpty) && piku.Processes().Count == 0);
    }

    [RunsInAnother]
    [Fact(Explicit = true)]
    public Task Supervises_until_it_is_killed() => DoomedHost.RunAsync(async root =>
    {
        var piku = new Installation(root);
        await piku.StartEmperorAsync();
        await piku.StartNginxAsync();
        var (wsgi, web) = (Installation.FreePort(), Installation.FreePort());
        Assert.Empty(await piku.UpAsync(
            piku.Emperor.Install(piku.Wsgi("blog", wsgi, Installation.Answering("hello"))),
            piku.Emperor.Install(piku.Command("web", Installation.ServingBehindAShell(web), new Readiness.Listening(new(IPAddress.Loopback, web))))));
        var emperor = (await piku.Emperor.StatusAsync(Cancelled))!.ProcessId;
        var nginx = new NginxMaster(new(piku.Paths), TimeProvider.System).ProcessId!.Value;
        return $"{ProcessTable.Find(emperor)!.Group} {ProcessTable.Find(nginx)!.Group}";
    });

    [Fact]
    public async Task A_port_in_use_is_one_sentence()
    {
        await using var piku = await Installation.WithNginxAsync();
        await using var other = new Installation();
        using var second = new NginxService(
            other.Paths, piku.Options, Installation.ToolEnvironment, TimeProvider.System, NullLogger<NginxService>.Instance);
        await second.StartAsync(Cancelled);
        var failure = await Assert.ThrowsAsync<UserError>(() => second.Ready.WaitAsync(Pace.Scale(TimeSpan.FromSeconds(10)), Cancelled));
        Assert.Contains($"port {piku.Options.HttpPort}", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("with a blank")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public async Task A_root_that_uWSGI_cannot_handle_is_one_sentence(string name)
    {
        using var folder = new TempFolder();
        using var service = new EmperorService(
            new(folder.File(name)), Installation.ToolEnvironment, TimeProvider.System, NullLogger<EmperorService>.Instance);
        await service.StartAsync(Cancelled);
        var failure = await Assert.ThrowsAsync<UserError>(() => service.Ready.WaitAsync(Pace.Scale(TimeSpan.FromSeconds(10)), Cancelled));
        Assert.Contains("PIKU_ROOT", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_program_is_one_sentence()
    {
        await using var piku = new Installation();
        using var service = new EmperorService(
            piku.Paths, EnvMap.Empty.With("PATH", "/nowhere"), TimeProvider.System, NullLogger<EmperorService>.Instance);
        await service.StartAsync(Cancelled);
        var failure = await Assert.ThrowsAsync<UserError>(() => service.Ready.WaitAsync(Pace.Scale(TimeSpan.FromSeconds(10)), Cancelled));
        Assert.Contains("'uwsgi'", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Waits_double_up_to_the_longest_and_a_healthy_run_begins_anew()
    {
        var policy = new RestartPolicy(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5), HealthyAfter: TimeSpan.FromSeconds(60));
        var waits = new List<double>();
        TimeSpan? wait = null;
        foreach (var lived in new[] { 0, 0, 0, 0, 59, 60, 0 })
        {
            wait = policy.WaitAfter(wait, TimeSpan.FromSeconds(lived));
            waits.Add(wait.Value.TotalSeconds);
        }
        Assert.Equal([1, 2, 4, 5, 5, 1, 2], waits);
    }
}
