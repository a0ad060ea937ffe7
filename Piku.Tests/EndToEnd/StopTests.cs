using System.Text;
using Piku.Core.Machine;

namespace Piku.Tests.EndToEnd;

/// <summary>A daemon that is told to end ends well: what is under way is done or undone, and everybody is told.</summary>
[NeedsMachine]
public sealed class StopTests
{
    /// <summary>A deploy that waits until a file is there.</summary>
    private const string SlowRelease = "release: touch $DATA_ROOT/begun; while [ ! -e $DATA_ROOT/go ]; do sleep 0.05; done; echo released\n";

    [Fact]
    public async Task A_push_under_way_is_done_and_others_are_told()
    {
        await using var piku = await PikuInstance.StartAsync();
        var repository = await Repository.FromExampleAsync(piku.Client, "static", "patient");
        await repository.PushAsync();
        repository.Write("Procfile", await ProcfileAsync(repository) + SlowRelease);
        await repository.CommitAsync();
        await using var push = await ListenAsync(repository.Push());
        await Eventually.TrueAsync(() => File.Exists(DataOf(piku, "begun")), explain: () => push.Text);
        await using var follower = await ListenAsync(piku.Client.Ssh("run", "patient", "echo here; exec sleep 1000"), "-tt");
        await Eventually.TrueAsync(() => follower.Text.Contains("here", StringComparison.Ordinal), explain: () => follower.Text);

        Signals.Send(piku.ProcessId, Signals.Terminate);

        await Eventually.TrueAsync(() => follower.Text.Contains("the server is stopping", StringComparison.Ordinal), explain: () => follower.Text);
        Assert.False(push.Program.Exit.IsCompleted, push.Text);
        await File.WriteAllTextAsync(DataOf(piku, "go"), "", TestContext.Current.CancellationToken);
        Assert.True((await push.Program.Exit).Succeeded, push.Text);
        await Eventually.TrueAsync(() => !Signals.IsAlive(piku.ProcessId));
        await piku.StartDaemonAsync();
        Assert.Equal(await repository.HeadAsync(), await repository.RemoteHeadAsync());
    }

    [Fact]
    public async Task A_push_that_takes_too_long_is_refused_with_a_sentence_and_the_old_version_stays()
    {
        await using var piku = await PikuInstance.StartAsync("[ssh]\nstop_grace = 1\n");
        var repository = await Repository.FromExampleAsync(piku.Client, "static", "endless");
        await repository.PushAsync();
        var good = await repository.HeadAsync();
        repository.Write("Procfile", await ProcfileAsync(repository) + SlowRelease);
        await repository.CommitAsync();
        await using var push = await ListenAsync(repository.Push());
        await Eventually.TrueAsync(() => File.Exists(DataOf(piku, "begun", "endless")), explain: () => push.Text);

        Signals.Send(piku.ProcessId, Signals.Terminate);

        Assert.False((await push.Program.Exit).Succeeded, push.Text);
        Assert.Contains("the server is stopping before the deploy was done; nothing has changed", push.Text, StringComparison.Ordinal);
        await Eventually.TrueAsync(() => !Signals.IsAlive(piku.ProcessId));
        await piku.StartDaemonAsync();
        using var browser = new Browser(piku);
        Assert.Equal(good, await repository.RemoteHeadAsync());
        await browser.AssertSaysAsync(browser.Http(repository.Host), "version 1");
    }

    [Fact]
    public async Task Who_follows_logs_is_told_and_another_signal_ends_the_waiting_for_a_push()
    {
        await using var piku = await PikuInstance.StartAsync("[ssh]\nstop_grace = 3600\n");
        var repository = await Repository.FromExampleAsync(piku.Client, "static", "hurried");
        await repository.PushAsync();
        await File.WriteAllTextAsync(Path.Combine(piku.Paths.Logs, "hurried", "worker.1.log"), "a line\n", TestContext.Current.CancellationToken);
        await using var follower = await ListenAsync(piku.Client.Ssh("logs", "hurried"));
        await Eventually.TrueAsync(() => follower.Text.Contains("a line", StringComparison.Ordinal), explain: () => follower.Text);
        repository.Write("Procfile", await ProcfileAsync(repository) + SlowRelease);
        await repository.CommitAsync();
        await using var push = await ListenAsync(repository.Push());
        await Eventually.TrueAsync(() => File.Exists(DataOf(piku, "begun", "hurried")), explain: () => push.Text);

        Signals.Send(piku.ProcessId, Signals.Terminate);

        await Eventually.TrueAsync(() => follower.Program.Exit.IsCompleted, explain: () => follower.Text);
        Assert.Contains("Error: the server is stopping; try again when it is back.", follower.Text, StringComparison.Ordinal);
        Assert.False((await follower.Program.Exit).Succeeded);
        Assert.False(push.Program.Exit.IsCompleted, push.Text);

        Signals.Send(piku.ProcessId, Signals.Terminate);

        await Eventually.TrueAsync(() => push.Program.Exit.IsCompleted, explain: () => push.Text);
        Assert.Contains("the server is stopping before the deploy was done; nothing has changed", push.Text, StringComparison.Ordinal);
        await Eventually.TrueAsync(() => !Signals.IsAlive(piku.ProcessId));
    }

    private static Task<string> ProcfileAsync(Repository repository) =>
        File.ReadAllTextAsync(Path.Combine(repository.Folder, "Procfile"), TestContext.Current.CancellationToken);

    private static string DataOf(PikuInstance piku, string file, string app = "patient") => Path.Combine(piku.Paths.Root, "data", app, file);

    private static async Task<Listener> ListenAsync(ProgramCall call, params string[] first)
    {
        var listener = new Listener();
        listener.Program = await ChildProcess.StartAsync(call with { Arguments = [.. first, .. call.Arguments], Output = listener.WriteAsync });
        return listener;
    }

    /// <summary>A program, and all that it has said.</summary>
    private sealed class Listener : IAsyncDisposable
    {
        private readonly StringBuilder _text = new();

        public ChildProcess Program { get; set; } = null!;

        public string Text
        {
            get
            {
                lock (_text)
                    return _text.ToString();
            }
        }

        public ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel)
        {
            lock (_text)
                _text.Append(Encoding.UTF8.GetString(bytes.Span));
            return ValueTask.CompletedTask;
        }

        public ValueTask DisposeAsync() => Program.DisposeAsync();
    }
}
