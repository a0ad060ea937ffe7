using System.IO.Pipelines;
using System.Text;
using Piku.Core.Machine;

namespace Piku.Tests.Machine;

/// <summary>A program on a terminal has what a login has, and ends with it.</summary>
public sealed class TerminalProcessTests : IAsyncDisposable
{
    private static readonly TerminalSettings Settings = new("xterm-256color", new(100, 40), []);

    private readonly Pipe _keys = new();
    private readonly StringBuilder _screen = new();
    private TerminalProcess? _process;

    private string Screen
    {
        get
        {
            lock (_screen)
                return _screen.ToString();
        }
    }

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_has_a_terminal_of_the_type_and_size_given_as_its_controlling_one()
    {
        await StartAsync("echo $TERM; stty size; test -t 0 && test -t 1 && test -t 2 && echo hello >/dev/tty; exit 3");
        Assert.Equal(3, (await EndAsync()).Code);
        Assert.Equal("xterm-256color\r\n40 100\r\nhello\r\n", Screen);
    }

    [Theory]
    [InlineData("\x03", Signals.Interrupt)]
    [InlineData("\x1c", Signals.Quit)]
    public async Task A_key_signals_the_program_in_the_foreground(string key, int signal)
    {
        await StartAsync("echo ready; exec sleep 61");
        await ShowsAsync("ready");
        await TypeAsync(key);
        Assert.Equal(signal, (await EndAsync()).Signal);
    }

    [Fact]
    public async Task A_signal_reaches_the_program_in_the_foreground()
    {
        await StartAsync("echo ready; exec sleep 61");
        await ShowsAsync("ready");
        Assert.True(_process!.Signal(Signals.Terminate));
        Assert.Equal(Signals.Terminate, (await EndAsync()).Signal);
    }

    [Fact]
    public async Task A_new_size_is_told_to_the_program()
    {
        await StartAsync("trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.05; done");
        await ShowsAsync("ready");
        _process!.Resize(new(33, 22));
        await EndAsync();
        Assert.Contains("22 33", Screen, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Modes_are_those_of_the_client()
    {
        // VINTR is ctrl-A, no echo, no ONLCR; 200 is no mode and 128 a speed.
        await StartAsync("stty -a", Settings with { Modes = [new(1, 1), new(53, 0), new(72, 0), new(200, 1), new(128, 9600)] });
        await EndAsync();
        Assert.Contains("intr = ^A;", Screen, StringComparison.Ordinal);
        Assert.Contains(" -echo ", Screen, StringComparison.Ordinal);
        Assert.Contains(" -onlcr ", Screen, StringComparison.Ordinal);
        Assert.DoesNotContain("\r\n", Screen, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_shell_has_job_control()
    {
        await StartAsync("exec bash --norc -i");
        await TypeAsync("sleep 61\n");
        await Eventually.TrueAsync(() => ProcessTable.Read().Any(p => p.Session == _process!.ProcessId && p.Group != p.Session));
        await TypeAsync("\x1a");
        await ShowsAsync("Stopped");
        await TypeAsync("kill -9 %1\nexit 5\nexit 5\n");
        Assert.Equal(5, (await EndAsync()).Code);
        Assert.DoesNotContain("job control", Screen, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_end_of_input_is_a_ctrl_D()
    {
        await StartAsync("cat; echo over");
        await TypeAsync("line\n");
        await _keys.Writer.CompleteAsync();
        Assert.True((await EndAsync()).Succeeded);
        Assert.Equal("line\r\nline\r\nover\r\n", Screen);
    }

    [Fact]
    public async Task All_output_arrives_although_the_program_has_ended()
    {
        await StartAsync("head -c 1000000 /dev/zero | tr '\\0' x; echo; echo last");
        await EndAsync();
        Assert.Equal(1_000_000, Screen.Count(c => c == 'x'));
        Assert.EndsWith("last\r\n", Screen, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("echo ready; sleep 61")]
    [InlineData("trap '' HUP TERM; (trap '' HUP; sleep 61) & echo ready; while :; do sleep 1; done")]
    [InlineData("set -m; nohup sleep 61 >/dev/null 2>&1 & sleep 62 & echo ready; wait")]
    public async Task A_hang_up_ends_every_program_of_the_session(string script)
    {
        await StartAsync(script);
        await ShowsAsync("ready");
        await _process!.DisposeAsync();
        Assert.True(IsEmpty(_process.ProcessId));
    }

    [Fact]
    public async Task Jobs_in_the_background_end_with_their_shell()
    {
        await StartAsync("set -m; nohup sleep 61 >/dev/null 2>&1 & echo started");
        await EndAsync();
        Assert.True(IsEmpty(_process!.ProcessId));
    }

    [Fact]
    public async Task When_we_are_killed_the_whole_session_dies()
    {
        await using var host = await DoomedHost.StartAsync(
            $"{typeof(TerminalProcessTests).FullName}.{nameof(Runs_a_script_until_it_is_killed)}",
            "set -m; trap '' HUP; nohup sleep 61 >/dev/null 2>&1 & while :; do sleep 1; done");
        var session = int.Parse(host.Report, System.Globalization.CultureInfo.InvariantCulture);
        host.Kill();
        await Eventually.TrueAsync(() => IsEmpty(session));
    }

    [RunsInAnother]
    [Fact(Explicit = true)]
    public Task Runs_a_script_until_it_is_killed() => DoomedHost.RunAsync(async script =>
    {
        await StartAsync(script);
        return $"{_process!.ProcessId}";
    });

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
            await _process.DisposeAsync();
    }

    private static bool IsEmpty(int session) => !ProcessTable.Read().Any(process => process.Session == session && !process.IsZombie);

    private async Task StartAsync(string script, TerminalSettings? settings = null) => _process = await TerminalProcess.StartAsync(
        ChildProcessTests.Shell(script) with
        {
            Input = _keys.Reader.AsStream(),
            Output = (bytes, _) =>
            {
                lock (_screen)
                    _screen.Append(Encoding.UTF8.GetString(bytes.Span));
                return ValueTask.CompletedTask;
            },
            Grace = TimeSpan.FromSeconds(1),
        }, settings ?? Settings);

    private async Task TypeAsync(string keys) => await _keys.Writer.WriteAsync(Encoding.UTF8.GetBytes(keys), Cancelled);

    private Task ShowsAsync(string text) => Eventually.TrueAsync(() => Screen.Contains(text, StringComparison.Ordinal), explain: () => Screen);

    private Task<ExitStatus> EndAsync() => _process!.Exit.WaitAsync(Pace.Scale(TimeSpan.FromSeconds(20)), Cancelled);
}
