using System.Collections;
using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Tests.Machine;

/// <summary>
/// Another process of ours, to be killed by a test: this test program once more, running one explicit test that does
/// something, reports, and waits.
/// </summary>
internal sealed class DoomedHost : IAsyncDisposable
{
    private const string ReportFile = "DOOMED_HOST_REPORT";
    private const string Argument = "DOOMED_HOST_ARGUMENT";

    private readonly TempFolder _folder = new();
    private ChildProcess? _process;

    public int ProcessId => _process!.ProcessId;

    /// <summary>What it has reported.</summary>
    public string Report { get; private set; } = "";

    /// <param name="explicitTest">Full name of the test method that it runs.</param>
    /// <param name="argument">For that test.</param>
    public static async Task<DoomedHost> StartAsync(string explicitTest, string argument)
    {
        var host = new DoomedHost();
        var report = host._folder.File("report");
        host._process = await ChildProcess.StartAsync(new()
        {
            Program = Environment.ProcessPath!,
            Arguments = ["-explicit", "only", "-method", explicitTest],
            Folder = "/",
            Environment = Inherited().With(Argument, argument).With(ReportFile, report),
        });
        await Eventually.TrueAsync(() => AtomicFile.ReadIfExists(report) is not null);
        host.Report = AtomicFile.ReadIfExists(report)!;
        return host;
    }

    /// <summary>In the host: does it, reports, and waits for the end.</summary>
    public static async Task RunAsync(Func<string, Task<string>> doIt)
    {
        var report = await doIt(Environment.GetEnvironmentVariable(Argument)!);
        AtomicFile.Write(Environment.GetEnvironmentVariable(ReportFile)!, report, AtomicFile.Secret);
        await Task.Delay(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken);
    }

    /// <summary>Kills it as nothing can prepare for. Its own children are on their own then.</summary>
    public void Kill() => Signals.Send(ProcessId, Signals.Kill);

    public async ValueTask DisposeAsync()
    {
        await _process!.DisposeAsync();
        _folder.Dispose();
    }

    /// <summary>What this process was started with, for another run of it.</summary>
    public static EnvMap Inherited() => EnvMap.From(Environment.GetEnvironmentVariables()
        .Cast<DictionaryEntry>().Select(entry => KeyValuePair.Create((string)entry.Key, (string?)entry.Value ?? "")));
}
