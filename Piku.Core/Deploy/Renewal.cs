using Piku.Core.Machine;
using Piku.Core.Runtimes;
using Piku.Core.Workers;

namespace Piku.Core.Deploy;

/// <summary>
/// Keeps the certificates of all sites fresh: acme.sh renews those that are due, and nginx loads what has changed,
/// also when acme.sh's own cron job was first.
/// </summary>
public sealed class Renewal(Installation piku)
{
    /// <summary>Nobody waits for it; an authority that does not answer must not hold it for ever.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromHours(1);

    private Dictionary<string, DateTime>? _seen;

    /// <returns>What went wrong, for the log: one sentence each.</returns>
    public async Task<IReadOnlyList<string>> RunAsync(CancellationToken cancel)
    {
        _seen ??= Certificates();
        var problems = new List<string>();
        if (AcmePlan.Renewal(await piku.Host.ReadAsync(cancel)) is { } call && await CallAsync(call, cancel) is { } failure)
            problems.Add($"acme.sh did not renew all of them: {failure}");
        var now = Certificates();
        if (now.Any(file => _seen.GetValueOrDefault(file.Key) != file.Value))
        {
            foreach (var site in await piku.Nginx.ReloadAsync(cancel))
                problems.Add($"{site.Path} is left out: {site.Message}");
        }
        _seen = now;
        return problems;
    }

    private static async Task<string?> CallAsync(BuildAction.Run call, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(Patience);
        try
        {
            var run = await ChildProcess.CaptureAsync(
                new() { Program = call.Argv[0], Arguments = call.Argv[1..], Folder = call.Folder, Environment = call.Environment }, limit.Token);
            return run.Status.Succeeded ? null : LastLine(run);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return $"it did not end within {Patience.TotalHours:0} hour";
        }
    }

    private Dictionary<string, DateTime> Certificates() =>
        Directory.EnumerateFiles(piku.Paths.NginxRoot, "*.crt").ToDictionary(file => file, File.GetLastWriteTimeUtc);

    private static string LastLine(CapturedRun run) =>
        (run.Error + run.Output).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).LastOrDefault() ?? $"{run.Status}";
}
