using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Piku.Core.Deploy;
using Piku.Core.Machine;
using Piku.Core.Model;

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
            string[] problems = [.. await Recovery.RetryAsync(piku, stoppingToken), .. KeepRoom(), .. await KeepNamesAsync(stoppingToken)];
            foreach (var problem in problems.Except(_said))
                Log.Upkeep(logger, problem);
            _said = [.. problems];
        }
    }

    /// <returns>Why apps' users have none.</returns>
    private async Task<IEnumerable<string>> KeepNamesAsync(CancellationToken stopping)
    {
        try
        {
            return await piku.Users.KeepNamesAsync(stopping) is { } problem ? [problem] : [];
        }
        catch (Exception full) when (full is UserError or IOException or UnauthorizedAccessException)
        {
            return [full.Message];
        }
    }

    /// <returns>Why there is none.</returns>
    private IEnumerable<string> KeepRoom()
    {
        if (Directory.Exists(piku.Paths.StartRoom))
            return [];
        try
        {
            Reserve.Take(piku.Paths.StartRoom, Room, Names);
            return [];
        }
        catch (Exception full) when (full is UserError or IOException or UnauthorizedAccessException)
        {
            return [full.Message];
        }
    }
}
