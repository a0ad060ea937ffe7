using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Tests.EndToEnd;

/// <summary>Deploys in their order, on a server that builds one app at a time.</summary>
[NeedsMachine]
public sealed class DeployOrderTests : IAsyncLifetime
{
    private const string Slow = "preflight: touch $DATA_ROOT/begun; while [ ! -e $DATA_ROOT/go ]; do sleep 0.05; done\nworker: echo two; exec sleep 1000\n";

    private PikuInstance? _piku;

    private PikuInstance Piku => _piku!;

    private Client Client => Piku.Client;

    public async ValueTask InitializeAsync() => _piku = await PikuInstance.StartAsync("[deploy]\nparallel = 1\n");

    public async ValueTask DisposeAsync()
    {
        if (_piku is not null)
            await _piku.DisposeAsync();
    }

    [Fact]
    public async Task A_cancelled_push_says_by_whom_and_everything_is_as_before()
    {
        Assert.Contains("No deploys", await Client.CommandAsync("deploys"), StringComparison.Ordinal);
        var (repository, push) = await BeginAsync("shop");
        var good = await repository.RemoteHeadAsync();
        Assert.Matches("shop +push +ada .*Running preflight", await Client.CommandAsync("deploys"));

        Assert.Contains("The push of shop by ada is cancelled", await Client.CommandAsync("deploys:cancel", "shop"), StringComparison.Ordinal);

        var refused = await push;
        Assert.False(refused.Status.Succeeded);
        Assert.Contains("Error: the deploy was cancelled by ada.", refused.Error, StringComparison.Ordinal);
        Assert.Equal(good, await repository.RemoteHeadAsync());
        Assert.Contains("cancelled", await Client.CommandAsync("releases", "shop"), StringComparison.Ordinal);
        Assert.Contains("Error: the deploy was cancelled by ada.", await Client.CommandAsync("releases:log", "shop"), StringComparison.Ordinal);
        Assert.Equal("*shop\n", await Client.CommandAsync("apps"));
        Assert.Contains("No deploys", await Client.CommandAsync("deploys"), StringComparison.Ordinal);
        Assert.Contains("no deploy of 'shop' is under way", (await Client.SshAsync("deploys:cancel", "shop")).Error, StringComparison.Ordinal);
        repository.Write("Procfile", "worker: echo three; exec sleep 1000\n");
        await repository.PushAsync();
    }

    [Fact]
    public async Task Another_app_waits_for_its_turn_while_scaling_and_restart_do_not()
    {
        var other = await Repository.WithFilesAsync(Client, "other", ("Procfile", "worker: exec sleep 1000\n"), ("package.json", "{}"));
        await other.PushAsync();
        var (_, push) = await BeginAsync("shop");

        var waiting = other.TryPushAsync();
        await Eventually.TrueAsync(async () => (await Client.CommandAsync("deploys")).Contains("waits for deploys of other apps", StringComparison.Ordinal), TimeSpan.FromSeconds(60));
        Assert.False(waiting.IsCompleted);
        // Of an app that is not in the queue itself.
        Assert.True((await Piku.LocalAsync("deploys:cancel", "other")).Status.Succeeded);
        Assert.Contains("the deploy was cancelled by", (await waiting).Error, StringComparison.Ordinal);
        // Whoever reads this, or the release's log, may have a key for this app alone.
        Assert.Contains("Waiting for a deploy of another app, under way since", (await waiting).Error, StringComparison.Ordinal);
        foreach (var text in (string[])[(await waiting).Error, await Client.CommandAsync("releases:log", "other")])
            Assert.DoesNotContain("shop", text, StringComparison.Ordinal);
        await Client.CommandAsync("ps:scale", "other", "worker=2");
        await Client.CommandAsync("restart", "other");

        // Settings wait for their app like any other deploy, and nobody overtakes them.
        var config = Client.SshAsync("config:set", "shop", "MOOD=calm");
        await Eventually.TrueAsync(() => ListsAsync("shop +config "), TimeSpan.FromSeconds(60));
        var restart = Client.SshAsync("restart", "shop");
        await Eventually.TrueAsync(() => ListsAsync("shop +restart "), TimeSpan.FromSeconds(60));
        Assert.Matches("(?s)push.*config.*restart", await Client.CommandAsync("deploys"));

        await GoOnAsync("shop");
        Assert.True((await push).Status.Succeeded, (await push).Error);
        Assert.True((await config).Status.Succeeded, (await config).Error);
        Assert.Contains("Waiting for the", (await restart).Output, StringComparison.Ordinal);
        Assert.Equal("calm\n", await Client.CommandAsync("run", "shop", "echo $MOOD"));
    }

    [Fact]
    public async Task A_deploy_on_the_server_itself_is_listed_and_cancelled_like_any_other_and_the_other_way_round()
    {
        var app = await Repository.WithFilesAsync(Client, "local", ("Procfile", "worker: echo one; exec sleep 1000\n"), ("package.json", "{}"));
        await app.PushAsync();
        app.Write("Procfile", Slow);
        await app.CommitAsync();
        await app.GitAsync("push", "-o", "no-deploy", Client.Remote("local"), "main");

        var deploy = Piku.LocalAsync("deploy", "local");
        await BegunAsync("local", deploy);
        var listed = await Client.CommandAsync("deploys");
        Assert.Matches("local +deploy .*Running preflight", listed);
        Assert.Equal(listed, (await Piku.LocalAsync("deploys")).Output);
        Assert.Contains("The deploy of local by", await Client.CommandAsync("deploys:cancel", "local"), StringComparison.Ordinal);
        Assert.False((await deploy).Status.Succeeded);
        Assert.Contains("Error: the deploy was cancelled by ada.", (await deploy).Error, StringComparison.Ordinal);
        Assert.DoesNotContain(ProcessTable.Read(), process => ProcessTable.CommandLine(process.Id).Contains("DATA_ROOT/begun", StringComparison.Ordinal));

        // One whose caller is killed leaves a deploy that nobody owns: it counts for nothing, and the next puts it right.
        await using (var killed = await ChildProcess.StartAsync(Piku.Local("deploy", "local")))
        {
            await BegunAsync("local", killed.Exit);
            Signals.Send(killed.ProcessId, Signals.Kill);
            await killed.Exit;
        }
        Assert.Contains("No deploys", await Client.CommandAsync("deploys"), StringComparison.Ordinal);
        await Client.CommandAsync("restart", "local");
        Assert.Contains("one", await File.ReadAllTextAsync(Path.Combine(Piku.Paths.App(AppName.Parse("local")), "Procfile"), TestContext.Current.CancellationToken), StringComparison.Ordinal);

        // The daemon's, ended from the server.
        var remote = Client.SshAsync("deploy", "local");
        await BegunAsync("local", remote);
        Assert.Contains("is cancelled", (await Piku.LocalAsync("deploys:cancel", "local")).Output, StringComparison.Ordinal);
        Assert.Contains("Error: the deploy was cancelled by", (await remote).Error, StringComparison.Ordinal);
        Assert.Equal("*local\n", await Client.CommandAsync("apps"));
    }

    private async Task BegunAsync(string app, Task deploy)
    {
        var begun = Path.Combine(DataOf(app), "begun");
        await Eventually.TrueAsync(() => File.Exists(begun) || deploy.IsCompleted, TimeSpan.FromSeconds(60));
        Assert.False(deploy.IsCompleted);
        File.Delete(begun);
    }

    [Theory]
    [InlineData("preflight")]
    [InlineData("release")]
    public async Task A_command_that_forks_hangs_and_ignores_signals_is_ended_with_all_it_started(string kind)
    {
        var repository = await HangingAsync(kind, "98761", "PIKU_BUILD_TIMEOUT=2\n");
        var refused = await repository.TryPushAsync();
        Assert.False(refused.Status.Succeeded);
        Assert.Contains("took longer than 2 s together and were ended; set PIKU_BUILD_TIMEOUT", refused.Error, StringComparison.Ordinal);
        Assert.Empty(Sleeping("98761"));
        Assert.Contains("failed: preflight, build and release took", await Client.CommandAsync("releases", "hanging"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cancelled_command_that_forks_and_ignores_signals_is_ended_with_all_it_started()
    {
        var repository = await HangingAsync("release", "98762", "");
        var push = repository.TryPushAsync();
        await Eventually.TrueAsync(() => Sleeping("98762").Count() == 3 || push.IsCompleted, TimeSpan.FromSeconds(60));

        await Client.CommandAsync("deploys:cancel", "hanging");

        Assert.Empty(Sleeping("98762"));
        Assert.Contains("Error: the deploy was cancelled by ada.", (await push).Error, StringComparison.Ordinal);
        Assert.Empty(await repository.RemoteHeadAsync());
    }

    /// <summary>An app whose command starts processes in its group, in sessions of their own, and orphans.</summary>
    private Task<Repository> HangingAsync(string kind, string seconds, string settings) => Repository.WithFilesAsync(
        Client, "hanging", ("ENV", settings), ("package.json", "{}"),
        ("Procfile", $"{kind}: trap '' TERM INT HUP; setsid sh -c 'trap \"\" TERM; (sleep {seconds} &) ; sleep {seconds}' & sleep {seconds} & while true; do sleep 1; done\nworker: exec sleep 1000\n"));

    private static IEnumerable<int> Sleeping(string seconds) => ProcessTable.Read()
        .Where(process => !process.IsZombie && ProcessTable.CommandLine(process.Id) == $"sleep {seconds}").Select(process => process.Id);

    private async Task<(Repository Repository, Task<CapturedRun> Push)> BeginAsync(string app)
    {
        var repository = await Repository.WithFilesAsync(Client, app, ("Procfile", "worker: echo one; exec sleep 1000\n"), ("package.json", "{}"));
        await repository.PushAsync();
        repository.Write("Procfile", Slow);
        await repository.CommitAsync();
        var push = Programs.CaptureAsync(repository.Push());
        await Eventually.TrueAsync(() => File.Exists(Path.Combine(DataOf(app), "begun")) || push.IsCompleted, TimeSpan.FromSeconds(60));
        Assert.False(push.IsCompleted);
        return (repository, push);
    }

    private async Task<bool> ListsAsync(string pattern) => System.Text.RegularExpressions.Regex.IsMatch(await Client.CommandAsync("deploys"), pattern);

    private Task GoOnAsync(string app) => File.WriteAllTextAsync(Path.Combine(DataOf(app), "go"), "", TestContext.Current.CancellationToken);

    private string DataOf(string app) => Piku.Paths.AppData(AppName.Parse(app));
}
