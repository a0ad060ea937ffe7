using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Tests.Machine;

/// <summary>Another process of ours that runs a program, to be killed by a test: this test program once more.</summary>
internal sealed class DoomedHost : IAsyncDisposable
{
    private const string Script = "DOOMED_HOST_SCRIPT";
    private const string Report = "DOOMED_HOST_REPORT";

    private readonly TempFolder _folder = new();
    private ChildProcess? _host;

    public int ProcessId => _host!.ProcessId;

    /// <summary>The process that the host has started.</summary>
    public int Program { get; private set; }

    public static async Task<DoomedHost> StartAsync(string script)
    {
        var host = new DoomedHost();
        var report = host._folder.File("report");
        host._host = await ChildProcess.StartAsync(new()
        {
            Program = Environment.ProcessPath!,
            Arguments = ["-explicit", "only", "-method", $"{typeof(DoomedHostTests).FullName}.{nameof(DoomedHostTests.Runs_until_it_is_killed)}"],
            Folder = "/",
            Environment = EnvMap.From(Inherited()).With(Script, script).With(Report, report),
        });
        await Eventually.TrueAsync(() => AtomicFile.ReadIfExists(report) is not null);
        host.Program = int.Parse(AtomicFile.ReadIfExists(report)!);
        return host;
    }

    /// <summary>What the host does, in its own process.</summary>
    public static async Task RunAsync(CancellationToken cancellationToken)
    {
        using var silence = new SilentStream();
        await using var program = await ChildProcess.StartAsync(ChildProcessTests.Shell(Environment.GetEnvironmentVariable(Script)!) with
        {
            Input = silence,
            Output = Stream.Null.WriteAsync,
        });
        AtomicFile.Write(Environment.GetEnvironmentVariable(Report)!, $"{program.ProcessId}", AtomicFile.Secret);
        await Task.Delay(TimeSpan.FromMinutes(2), cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _host!.DisposeAsync();
        _folder.Dispose();
    }

    private static IEnumerable<KeyValuePair<string, string>> Inherited() =>
        Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>()
            .Select(entry => KeyValuePair.Create((string)entry.Key, (string?)entry.Value ?? ""));
}

public sealed class DoomedHostTests
{
    [Fact(Explicit = true)]
    public Task Runs_until_it_is_killed() => DoomedHost.RunAsync(TestContext.Current.CancellationToken);
}
