using System.Globalization;
using Piku.Core.Machine;

namespace Piku.Tests.Machine;

/// <summary>What we have started dies with us, even if we are killed.</summary>
public sealed class LifelineTests
{
    [Theory]
    [InlineData("sleep 61")]
    [InlineData("trap '' HUP TERM INT; sleep 61; sleep 62")]
    [InlineData("sleep 61 & sleep 62 & cat; sleep 63")]
    public async Task When_we_are_killed_the_whole_group_dies(string script)
    {
        await using var host = await StartAsync(nameof(Runs_a_script_until_it_is_killed), script);
        var group = GroupOf(host);
        Assert.NotEqual(ProcessTable.Find(host.ProcessId)!.Group, group);
        host.Kill();
        await Eventually.TrueAsync(() => ChildProcessEndTests.IsEmpty(group));
    }

    [Fact]
    public async Task A_program_with_children_to_look_after_is_asked_first()
    {
        using var folder = new TempFolder();
        await using var host = await StartAsync(
            nameof(Runs_a_script_with_grace_until_it_is_killed),
            $"trap 'echo asked > {folder.File("asked")}; exit' INT; while :; do sleep 0.05; done");
        var group = GroupOf(host);
        host.Kill();
        await Eventually.TrueAsync(() => ChildProcessEndTests.IsEmpty(group));
        Assert.Equal("asked\n", AtomicFile.ReadIfExists(folder.File("asked")));
    }

    [RunsInAnother]
    [Fact(Explicit = true)]
    public Task Runs_a_script_until_it_is_killed() => DoomedHost.RunAsync(script => RunAsync(ChildProcessTests.Shell(script)));

    [RunsInAnother]
    [Fact(Explicit = true)]
    public Task Runs_a_script_with_grace_until_it_is_killed() => DoomedHost.RunAsync(script => RunAsync(
        ChildProcessTests.Shell(script) with { StopSignal = Signals.Interrupt, OrphanGrace = TimeSpan.FromSeconds(2) }));

    private static Task<DoomedHost> StartAsync(string test, string script) =>
        DoomedHost.StartAsync($"{typeof(LifelineTests).FullName}.{test}", script);

    private static async Task<string> RunAsync(ProgramCall call)
    {
        var child = await ChildProcess.StartAsync(call with { Input = new SilentStream(), Output = Stream.Null.WriteAsync });
        return $"{child.ProcessId}";
    }

    private static int GroupOf(DoomedHost host) => ProcessTable.Find(int.Parse(host.Report, CultureInfo.InvariantCulture))!.Group;
}
