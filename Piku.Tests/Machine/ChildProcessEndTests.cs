using System.Text;
using Piku.Core.Machine;

namespace Piku.Tests.Machine;

/// <summary>Nothing that was started stays behind, however the end comes.</summary>
public sealed class ChildProcessEndTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Cancelling_lets_the_program_clean_up()
    {
        var output = new StringBuilder();
        using var cancel = new CancellationTokenSource();
        using var folder = new TempFolder();
        var running = ChildProcess.RunAsync(
            ChildProcessTests.Shell($"trap 'echo cleaned > {folder.File("done")}; exit' TERM; echo ready; while :; do sleep 0.05; done") with
            {
                Output = Text(output),
            }, cancel.Token);
        await Eventually.TrueAsync(() => output.ToString() == "ready\n");
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        Assert.Equal("cleaned\n", AtomicFile.ReadIfExists(folder.File("done")));
    }

    [Fact]
    public async Task Cancelling_kills_what_ignores_it_with_all_its_descendants()
    {
        var output = new StringBuilder();
        using var cancel = new CancellationTokenSource();
        var running = ChildProcess.RunAsync(
            ChildProcessTests.Shell("trap '' TERM; (trap '' TERM; sleep 61) & sleep 62 & echo $$; wait; sleep 63") with
            {
                Output = Text(output),
                Grace = TimeSpan.FromMilliseconds(200),
            }, cancel.Token);
        await Eventually.TrueAsync(() => output.ToString().EndsWith('\n'));
        var group = ProcessTable.Find(int.Parse(output.ToString()))!.Group;
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        await Eventually.TrueAsync(() => IsEmpty(group));
    }

    [Fact]
    public async Task Background_jobs_end_with_their_program()
    {
        var run = await ChildProcess.CaptureAsync(ChildProcessTests.Shell("sleep 61 & echo $!"), Cancelled);
        await Eventually.TrueAsync(() => !ProcessTable.IsRunning(int.Parse(run.Output)));
    }

    [Fact]
    public async Task A_descendant_that_left_the_group_does_not_hold_the_call()
    {
        var run = await ChildProcess.CaptureAsync(ChildProcessTests.Shell("setsid sleep 5 & echo out"), Cancelled)
            .WaitAsync(Pace.Scale(TimeSpan.FromSeconds(4)), Cancelled);
        Assert.Equal("out\n", run.Output);
    }

    internal static bool IsEmpty(int group) => !ProcessTable.Read().Any(process => process.Group == group && !process.IsZombie);

    private static OutputSink Text(StringBuilder text) => (bytes, _) =>
    {
        text.Append(Encoding.UTF8.GetString(bytes.Span));
        return ValueTask.CompletedTask;
    };
}
