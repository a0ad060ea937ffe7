using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Tests.Machine;

public sealed class MarkedProcessesTests
{
    private static readonly AppName App = AppName.Parse("blog");

    [Theory]
    [InlineData("setsid sleep 1000 & sleep 1000")]
    [InlineData("env -i setsid sleep 1000 > /dev/null 2>&1 < /dev/null & sleep 1000")]
    [InlineData("(setsid -f env -i /bin/sh -c 'sleep 1000; true') > /dev/null 2>&1; sleep 1000")]
    public async Task Whatever_a_program_starts_is_found_and_ended_wherever_it_has_gone(string line)
    {
        var mark = MarkedProcesses.New(new("/srv/piku"), App, ProcessPurpose.Build);
        await using var program = await StartAsync(line, mark);
        await Eventually.TrueAsync(() => Commands(mark).Count(command => command == "sleep 1000") == 2, explain: () => string.Join('\n', Commands(mark)));

        MarkedProcesses.Kill(other => other == mark);

        await program.Exit;
        Assert.Empty(Commands(mark));
    }

    [Fact]
    public async Task A_mark_is_nobody_elses()
    {
        var (mine, theirs) = (MarkedProcesses.New(new("/srv/piku"), App, ProcessPurpose.Run), MarkedProcesses.New(new("/srv/piku"), App, ProcessPurpose.Run));
        await using var mineRuns = await StartAsync("exec sleep 1000", mine);
        await using var theirsRuns = await StartAsync("exec sleep 1000", theirs);
        await using var unmarked = await StartAsync("exec sleep 1000", null);
        await Eventually.TrueAsync(() => Commands(mine).Count == 1 && Commands(theirs).Count == 1);
        Assert.Null(ProcessTable.MarkOf(unmarked.ProcessId));
        Assert.Null(ProcessTable.MarkOf(Environment.ProcessId));

        MarkedProcesses.Kill(mark => mark == mine);

        await mineRuns.Exit;
        Assert.Single(Commands(theirs));
        Assert.True(ProcessTable.IsRunning(unmarked.ProcessId));
    }

    [Fact]
    public async Task A_signal_reaches_no_other_process_of_the_same_number()
    {
        await using var program = await StartAsync("exec sleep 1000", null);
        var process = ProcessTable.Find(program.ProcessId)!;
        Assert.False(Signals.Send(process with { Started = process.Started - 1 }, Signals.Kill));
        Assert.True(ProcessTable.IsRunning(program.ProcessId));
        Assert.True(Signals.Send(process, Signals.Kill));
        Assert.Equal(Signals.Kill, (await program.Exit).Signal);
    }

    private static List<string> Commands(ProcessMark mark) =>
        [.. MarkedProcesses.Find(other => other == mark).Select(one => ProcessTable.CommandLine(one.Process.Id))];

    private static Task<ChildProcess> StartAsync(string line, ProcessMark? mark) => ChildProcess.StartAsync(new()
    {
        Program = "/bin/sh",
        Arguments = ["-c", line],
        Folder = "/",
        Environment = EnvMap.Empty.With("PATH", "/usr/bin:/bin"),
        Mark = mark,
    });
}
