using System.Text;
using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Tests.Machine;

public sealed class ChildProcessTests
{
    private static readonly EnvMap SystemPath = EnvMap.Empty.With("PATH", "/usr/bin:/bin");

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Arguments_arrive_as_they_are()
    {
        string[] hostile = ["a b", "$(id)", "", "'\"\\", "ü\n", "-n"];
        var run = await ChildProcess.CaptureAsync(Call("printf", ["[%s]", .. hostile]), Cancelled);
        Assert.Equal(string.Concat(hostile.Select(argument => $"[{argument}]")), run.Output);
    }

    [Fact]
    public async Task The_environment_is_exactly_the_one_given()
    {
        var environment = SystemPath.With("X", "a=b\n$c").With("not.an.identifier", "ü").With("OPTIND", "x").With("EMPTY", "");
        var run = await ChildProcess.CaptureAsync(Call("env", ["-0"]) with { Environment = environment }, Cancelled);
        Assert.Equal(environment.Select(pair => $"{pair.Key}={pair.Value}"), run.Output.TrimEnd('\0').Split('\0'));
    }

    [Fact]
    public async Task It_runs_in_the_folder_without_input_and_without_our_files()
    {
        using var folder = new TempFolder();
        using var ours = File.Create(folder.File("ours"));
        var run = await ChildProcess.CaptureAsync(Shell("pwd; wc -c; ls -l /proc/self/fd") with { Folder = "/tmp" }, Cancelled);
        Assert.StartsWith("/tmp\n0\n", run.Output, StringComparison.Ordinal);
        Assert.Contains("0 -> /dev/null", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(folder.Path, run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_signal_is_blocked_or_ignored()
    {
        var run = await ChildProcess.CaptureAsync(Shell("grep -E '^Sig(Blk|Ign)' /proc/self/status"), Cancelled);
        var masks = run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => Convert.ToUInt64(line.Split('\t')[1], 16));
        // The C library keeps signals 32 and 33 to itself.
        Assert.All(masks, mask => Assert.Equal(0UL, mask & 0x7fff_ffff));
    }

    [Theory]
    [InlineData("exit 3", 3, null, "exit status 3")]
    [InlineData("kill -9 $$", 137, 9, "ended by SIGKILL")]
    [InlineData("kill -TERM $$", 143, 15, "ended by SIGTERM")]
    public async Task The_end_is_told_as_it_was(string script, int shellCode, int? signal, string text)
    {
        var status = await ChildProcess.RunAsync(Shell(script), Cancelled);
        Assert.Equal((shellCode, signal, text, false), (status.ShellCode, status.Signal, status.ToString(), status.Succeeded));
    }

    [Fact]
    public async Task Input_and_output_flow_through_unchanged()
    {
        var bytes = new byte[5_000_000];
        new Random(1).NextBytes(bytes);
        using var input = new MemoryStream(bytes);
        using var output = new MemoryStream();
        var status = await ChildProcess.RunAsync(Call("cat", []) with { Input = input, Output = output.WriteAsync }, Cancelled);
        Assert.True(status.Succeeded);
        Assert.True(bytes.AsSpan().SequenceEqual(output.GetBuffer().AsSpan(0, (int)output.Length)));
    }

    [Fact]
    public async Task A_program_that_does_not_read_its_input_ends_in_peace()
    {
        using var input = new MemoryStream(new byte[5_000_000]);
        Assert.True((await ChildProcess.RunAsync(Call("true", []) with { Input = input }, Cancelled)).Succeeded);
    }

    [Fact]
    public async Task Error_is_kept_apart_or_joined_in_order()
    {
        var apart = await ChildProcess.CaptureAsync(Shell("echo 1; echo 2 >&2; echo 3"), Cancelled);
        Assert.Equal(("1\n3\n", "2\n"), (apart.Output, apart.Error));
        using var joined = new MemoryStream();
        await ChildProcess.RunAsync(Shell("echo 1; echo 2 >&2; echo 3") with { Output = joined.WriteAsync }, Cancelled);
        Assert.Equal("1\n2\n3\n", Encoding.UTF8.GetString(joined.ToArray()));
    }

    [Fact]
    public async Task A_slow_reader_slows_the_program_down()
    {
        var gate = new TaskCompletionSource();
        var seen = 0L;
        var running = ChildProcess.RunAsync(Call("head", ["-c", "10000000", "/dev/zero"]) with
        {
            Output = async (bytes, _) =>
            {
                Interlocked.Add(ref seen, bytes.Length);
                await gate.Task;
            },
        }, Cancelled);
        await Eventually.TrueAsync(() => Interlocked.Read(ref seen) > 0);
        Assert.False(running.IsCompleted);
        Assert.InRange(Interlocked.Read(ref seen), 1, 64 * 1024);
        gate.SetResult();
        Assert.True((await running).Succeeded);
        Assert.Equal(10_000_000, seen);
    }

    [Fact]
    public async Task Captured_text_is_kept_to_its_limit()
    {
        var run = await ChildProcess.CaptureAsync(Call("head", ["-c", "100000", "/dev/zero"]), Cancelled, limit: 1000);
        Assert.Equal(1000, run.Output.Length);
    }

    [Fact]
    public async Task A_sink_that_fails_ends_the_program_and_the_caller_hears_why()
    {
        var failure = await Assert.ThrowsAsync<InvalidDataException>(() => ChildProcess.RunAsync(
            Shell("echo x; sleep 60") with { Output = (_, _) => throw new InvalidDataException("client gone") }, Cancelled));
        Assert.Equal("client gone", failure.Message);
    }

    [Fact]
    public async Task A_missing_program_is_named()
    {
        var missing = await Assert.ThrowsAsync<UserError>(() => ChildProcess.RunAsync(Call("no-such-tool", []), Cancelled));
        Assert.Contains("'no-such-tool'", missing.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_program_that_cannot_start_is_a_sentence_too()
    {
        var missing = await Assert.ThrowsAsync<UserError>(
            () => ChildProcess.RunAsync(Call("true", []) with { Folder = "/no/such/folder" }, Cancelled));
        Assert.Contains("/no/such/folder", missing.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Children_do_not_take_a_thread_each()
    {
        var children = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ =>
            ChildProcess.StartAsync(Call("cat", []) with { Input = new System.IO.Pipelines.Pipe().Reader.AsStream(), Output = Stream.Null.WriteAsync })));
        var threads = Directory.GetDirectories("/proc/self/task").Length;
        foreach (var child in children)
            await child.DisposeAsync();
        Assert.InRange(threads, 1, 39);
    }

    internal static ProgramCall Call(string program, IReadOnlyList<string> arguments) =>
        new() { Program = program, Arguments = arguments, Folder = "/", Environment = SystemPath };

    internal static ProgramCall Shell(string script) => Call("sh", ["-c", script]);
}
