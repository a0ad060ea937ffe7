using System.IO.Pipelines;
using System.Text;
using Piku.Core.Machine;

namespace Piku.Tests.EndToEnd;

/// <summary>A person at a terminal of 90 columns and 30 rows, who runs one program there.</summary>
internal sealed class Screen : IAsyncDisposable
{
    private readonly Pipe _keys = new();
    private readonly StringBuilder _shown = new();
    private TerminalProcess? _process;

    public Task<ExitStatus> Exit => _process!.Exit.WaitAsync(Pace.Scale(TimeSpan.FromSeconds(20)));

    private string Shown
    {
        get
        {
            lock (_shown)
                return _shown.ToString();
        }
    }

    public static async Task<Screen> StartAsync(ProgramCall call)
    {
        var screen = new Screen();
        screen._process = await TerminalProcess.StartAsync(
            call with
            {
                Environment = call.Environment.With("TERM", "xterm-256color"),
                Input = screen._keys.Reader.AsStream(),
                Output = (bytes, _) =>
                {
                    lock (screen._shown)
                        screen._shown.Append(Encoding.UTF8.GetString(bytes.Span));
                    return ValueTask.CompletedTask;
                },
            },
            new("xterm-256color", new(90, 30), []));
        return screen;
    }

    public async Task TypeAsync(string text) => await _keys.Writer.WriteAsync(Encoding.UTF8.GetBytes(text), TestContext.Current.CancellationToken);

    /// <summary>The person makes the window another size.</summary>
    public void Resize(TerminalSize size) => _process!.Resize(size);

    public Task ShowsAsync(string text) => Eventually.TrueAsync(() => Shown.Contains(text, StringComparison.Ordinal), explain: () => Shown);

    public ValueTask DisposeAsync() => _process!.DisposeAsync();
}
