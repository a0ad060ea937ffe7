using System.Collections.Immutable;
using Piku.Core.Model;
using Piku.Core.Nginx;
using Piku.Core.Runtimes;
using Piku.Core.Settings;

namespace Piku.Core.Workers;

/// <summary>How a certificate is got by acme.sh, where that is installed: first issued, then put where the site has it.</summary>
public static class AcmePlan
{
    /// <summary>The calls in order, none without acme.sh. They answer for every host name of the site that is no pattern, and need its challenge path to be served.</summary>
    public static ImmutableArray<BuildAction.Run> Create(DeployFacts facts, EnvMap environment, Site site)
    {
        if (facts.Host.AcmeProgram is not { } program || site.ProvableNames.IsEmpty)
            return [];
        var authority = AppSettings.AcmeRootCa.In(environment);
        if (facts.Host.AppUser is not null && authority.Contains(':', StringComparison.Ordinal))
            throw new UserError($"{AppSettings.AcmeRootCa.Key} must be a name that acme.sh knows, because acme.sh runs as piku and trusts the server it talks to, and this app has a user of its own.");
        string[] names = [.. site.ProvableNames.SelectMany(name => new[] { "-d", name })];
        return
        [
            Call(facts.Host, [program, "--issue", .. names, "-w", site.AcmeFolder, "--server", authority]),
            Call(facts.Host, [program, "--install-cert", .. names, "--key-file", site.CertificateKey, "--fullchain-file", site.Certificate]),
        ];
    }

    /// <summary>The call that gets every certificate anew that is due, as acme.sh's own cron job does; null without acme.sh.</summary>
    public static BuildAction.Run? Renewal(HostFacts host) => host.AcmeProgram is not { } program ? null
        : Call(host, [program, "--cron", "--home", program[..program.LastIndexOf('/')]]);

    private static BuildAction.Run Call(HostFacts host, ImmutableArray<string> argv) => new(argv, host.Home, EnvMap.Empty
        .With("HOME", host.Home)
        .With("USER", host.User)
        .With("PATH", string.Join(':', host.SearchPath))
        .With("PWD", host.Home));
}
