using Piku.Core.Machine;
using Piku.Tests.Machine;

namespace Piku.Tests.Running;

/// <summary>What this program shows and keeps of a run, asked of another run of it.</summary>
public sealed class ARunOfTheTests : IDisposable
{
    private readonly TemporaryFolder _results = new();

    private string[] Counts => File.ReadAllText(_results["counts"]).Trim().Split(' ');

    public void Dispose() => _results.Dispose();

    [Fact]
    public async Task Shows_a_failure_at_once_with_what_repeats_it_and_counts_all()
    {
        var run = await RunAsync(nameof(Passes), nameof(Fails), nameof(IsSkipped));

        Assert.False(run.Status.Succeeded);
        Assert.Contains($"FAILED {typeof(ARunOfTheTests).FullName}.{nameof(Fails)}\n", run.Output, StringComparison.Ordinal);
        Assert.Contains("    this one is to fail\n", run.Output, StringComparison.Ordinal);
        Assert.Contains("    what it said\n", run.Output, StringComparison.Ordinal);
        Assert.Contains($"    To repeat it: ./test long -method {typeof(ARunOfTheTests).FullName}.{nameof(Fails)}\n", run.Output, StringComparison.Ordinal);
        Assert.Matches(@"\[00:\d\d +1 passed, 1 failed\] Running.ARunOfTheTests: 3 in \d+\.\d s, 1 FAILED, 1 skipped\n", run.Output);
        Assert.Equal(["1", "1", "1"], Counts);
        Assert.Empty(await File.ReadAllTextAsync(_results["running"], TestContext.Current.CancellationToken));
        Assert.Contains("what it said", await File.ReadAllTextAsync(_results["figures"], TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ends_a_test_that_takes_too_long_and_goes_on()
    {
        var run = await RunAsync(nameof(TakesTooLong), nameof(Passes));

        Assert.Contains("the limit on a machine", run.Output, StringComparison.Ordinal);
        Assert.Equal(["1", "1", "0"], Counts);
    }

    [Fact]
    public async Task Has_counted_and_named_its_tests_when_it_is_killed()
    {
        await using (var run = await ChildProcess.StartAsync(Call(nameof(Passes), nameof(TakesVeryLong))))
        {
            await Eventually.TrueAsync(() => File.Exists(_results["counts"]) && Counts[0] == "1" && File.ReadAllText(_results["running"]).Length > 0);
            Signals.Send(run.ProcessId, Signals.Kill);
            await run.Exit;
        }

        Assert.Equal(["1", "0", "0"], Counts);
        Assert.Equal($"{typeof(ARunOfTheTests).FullName}.{nameof(TakesVeryLong)}\n", await File.ReadAllTextAsync(_results["running"], TestContext.Current.CancellationToken));
    }

    /// <summary>What <c>./test quick</c> promises, kept by a user who may do nothing, without a network, with no program but sh.</summary>
    [NeedsMachine]
    [Fact(Explicit = true)]
    public async Task Of_the_quick_ones_needs_no_root_port_or_program()
    {
        Assert.SkipUnless(UnixUser.Current.IsRoot, "only root can take all that away");
        using var programs = new TemporaryFolder();
        File.CreateSymbolicLink(programs["sh"], "/bin/sh");
        foreach (var folder in new[] { programs.Path, _results.Path })
            File.SetUnixFileMode(folder, (UnixFileMode)0b111_111_111);
        var call = Call() with
        {
            Program = "unshare",
            Arguments = ["--net", "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "env", $"PATH={programs.Path}", Environment.ProcessPath!, "-noColor", "-reporter", "progress", "-trait-", "needs=machine"],
        };

        var run = await EndToEnd.Programs.CaptureAsync(call with { Environment = call.Environment.With("HOME", _results.Path).With("DOTNET_ROOT", Path.GetDirectoryName(DotNet)!) });

        TestContext.Current.TestOutputHelper!.WriteLine(run.Output);
        Assert.Equal("0", Counts[1]);
        Assert.True(run.Status.Succeeded, run.Output + run.Error);
    }

    /// <summary>The program whose folder has the runtime.</summary>
    private static string DotNet => new FileInfo(Tools.Find("dotnet", Environment.GetEnvironmentVariable("PATH") ?? "") ?? "").ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? "/usr/share/dotnet/dotnet";

    [RunsInAnother]
    [Fact(Explicit = true)]
    public void Passes() => Assert.NotNull(Environment.ProcessPath);

    [RunsInAnother]
    [Fact(Explicit = true)]
    public void Fails()
    {
        TestContext.Current.TestOutputHelper!.WriteLine("what it said");
        Assert.Fail("this one is to fail");
    }

    [RunsInAnother]
    [Fact(Explicit = true)]
    public void IsSkipped() => Assert.Skip("this one is to be skipped");

    [RunsInAnother]
    [TimeLimit(0.01)]
    [Fact(Explicit = true)]
    public Task TakesTooLong() => Task.Delay(Timeout.Infinite, TestContext.Current.CancellationToken);

    [RunsInAnother]
    [Fact(Explicit = true)]
    public Task TakesVeryLong() => Task.Delay(Timeout.Infinite, TestContext.Current.CancellationToken);

    private async Task<CapturedRun> RunAsync(params string[] methods)
    {
        using var limit = new CancellationTokenSource(Pace.Scale(TimeSpan.FromMinutes(1)));
        return await ChildProcess.CaptureAsync(Call(methods), limit.Token);
    }

    private ProgramCall Call(params string[] methods) => new()
    {
        Program = Environment.ProcessPath!,
        Arguments =
        [
            "-noColor", "-reporter", "progress", "-explicit", "only", "-parallelMode", "all",
            .. methods.SelectMany(method => (string[])["-method", $"{typeof(ARunOfTheTests).FullName}.{method}"]),
        ],
        Folder = "/",
        Environment = DoomedHost.Inherited().With(ProgressReporter.ResultsVariable, _results.Path),
    };
}
