using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Piku.Core.Deploy;
using Piku.Core.Machine;

namespace Piku.Server.Hosting.Supervision;

/// <summary>
/// What others on the machine make needful. A full disk: puts back what a deploy could not put back, as soon as there is
/// room, and keeps room for the next start, which writes its configurations and pid files anew. A user more or less: keeps
/// the names that apps' users have.
/// </summary>
internal sealed class UpkeepService(Installation piku, ILogger<UpkeepService> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    /// <summary>Bytes that a start writes at the most, with the configurations of some hundred sites, and files.</summary>
    private const long Room = 4 << 20;
    private const int Names = 64;

    private HashSet<string> _said = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, piku.Clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            string[] problems =
            [
                .. await Attempt.RunAsync(() => Recovery.RetryAsync(piku, stoppingToken), stoppingToken),
                .. await Attempt.RunAsync(() => Task.FromResult(KeepRoom()), stoppingToken),
                .. await Attempt.RunAsync(() => KeepNamesAsync(stoppingToken), stoppingToken),
            ];
            foreach (var problem in problems.Except(_said))
                Log.Upkeep(logger, problem);
            _said = [.. problems];
        }
    }

    /// <returns>Why apps' users have none.</returns>
    private async Task<IReadOnlyList<string>> KeepNamesAsync(CancellationToken stopping) =>
        await piku.Users.KeepNamesAsync(stopping) is { } problem ? [problem] : [];

    private IReadOnlyList<string> KeepRoom()
    {
        if (!Directory.Exists(piku.Paths.StartRoom))
            Reserve.Take(piku.Paths.StartRoom, Room, Names);
        return [];
    }
}
