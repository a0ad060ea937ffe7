using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Piku.Core.Deploy;
using Piku.Core.Model;

namespace Piku.Server.Hosting.Supervision;

/// <summary>Looks after the sites' certificates at the start and twice a day, as authorities ask for (Let's Encrypt, "Integration Guide").</summary>
/// <param name="nginxIsReady">Done when nginx serves: what changes from then on, it must be told of.</param>
internal sealed class CertificateService(Installation piku, Task nginxIsReady, ILogger<CertificateService> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromHours(12);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await nginxIsReady.WaitAsync(stoppingToken);
        }
        catch (UserError)
        {
            return; // nginx did not start: whoever starts everything says so, and ends
        }
        var renewal = new Renewal(piku);
        using var timer = new PeriodicTimer(Interval, piku.Clock);
        do
        {
            foreach (var problem in await Attempt.RunAsync(() => renewal.RunAsync(stoppingToken), stoppingToken))
                Log.Certificates(logger, problem);
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }
}
