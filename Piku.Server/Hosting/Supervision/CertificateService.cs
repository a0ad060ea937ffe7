using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Piku.Core.Deploy;

namespace Piku.Server.Hosting.Supervision;

/// <summary>Looks after the sites' certificates at the start and twice a day, as authorities ask for (Let's Encrypt, "Integration Guide").</summary>
/// <param name="nginxIsReady">Done when nginx serves: what changes from then on, it must be told of.</param>
internal sealed class CertificateService(Installation piku, Task nginxIsReady, ILogger<CertificateService> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromHours(12);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await nginxIsReady.WaitAsync(stoppingToken);
        var renewal = new Renewal(piku);
        using var timer = new PeriodicTimer(Interval, piku.Clock);
        do
        {
            foreach (var problem in await TryAsync(renewal, stoppingToken))
                Log.Certificates(logger, problem);
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    [SuppressMessage("Design", "CA1031", Justification = "Said in the log, and tried again: no certificate is worth the daemon.")]
    private static async Task<IReadOnlyList<string>> TryAsync(Renewal renewal, CancellationToken stoppingToken)
    {
        try
        {
            return await renewal.RunAsync(stoppingToken);
        }
        catch (Exception wrong) when (wrong is not OperationCanceledException)
        {
            return [wrong.Message];
        }
    }
}
