using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Tests.EndToEnd;

/// <summary>The programs of the machine, run with bounds.</summary>
internal static class Programs
{
    public const string SearchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    public static async Task<CapturedRun> CaptureAsync(ProgramCall call)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Pace.Scale(Limit));
        return await ChildProcess.CaptureAsync(call, limit.Token);
    }

    /// <summary>Runs a program that must succeed.</summary>
    public static async Task<string> RunAsync(string program, IReadOnlyList<string> arguments, string folder = "/")
    {
        var run = await CaptureAsync(new ProgramCall
        {
            Program = program,
            Arguments = arguments,
            Folder = folder,
            Environment = EnvMap.From([new("PATH", SearchPath), new("HOME", folder)]),
        });
        Assert.True(run.Status.Succeeded, $"{program} {string.Join(' ', arguments)}: {run.Status}\n{run.Output}{run.Error}");
        return run.Output;
    }

    /// <summary>Ids of the processes that have a text in their command line.</summary>
    public static IEnumerable<int> RunningWith(string text) => Directory.EnumerateDirectories("/proc")
        .Select(folder => int.TryParse(Path.GetFileName(folder), out var id) ? id : 0)
        .Where(id => id > 0 && id != Environment.ProcessId && CommandLine(id).Contains(text, StringComparison.Ordinal));

    private static string CommandLine(int process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/cmdline");
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
