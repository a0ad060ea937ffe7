using System.Collections.Immutable;
using Piku.Core.Model;
using Piku.Core.Nginx;
using Piku.Core.Runtimes;
using Piku.Core.Settings;

namespace Piku.Core.Workers;

/// <summary>How a certificate is got by acme.sh, where that is installed: first issued, then put where the site has it.</summary>
public static class AcmePlan
{
    /// <summary>acme.sh of the service user, as its own installer puts it.</summary>
    public static string Program(HostFacts host) => $"{host.Home}/.acme.sh/acme.sh";

    /// <summary>The calls in order. They answer for every host name of the site, and need its challenge path to be served.</summary>
    public static ImmutableArray<BuildAction.Run> Create(DeployFacts facts, EnvMap environment, Site site)
    {
        string[] names = [.. site.ServerNames.SelectMany(name => new[] { "-d", name })];
        return
        [
            Call(["--issue", .. names, "-w", site.AcmeFolder, "--server", AppSettings.AcmeRootCa.In(environment)]),
            Call(["--install-cert", .. names, "--key-file", site.CertificateKey, "--fullchain-file", site.Certificate]),
        ];

        BuildAction.Run Call(ImmutableArray<string> arguments) => new(
            [Program(facts.Host), .. arguments], facts.Host.Home,
            EnvMap.Empty
                .With("HOME", facts.Host.Home)
                .With("USER", facts.Host.User)
                .With("PATH", string.Join(':', facts.Host.SearchPath))
                .With("PWD", facts.Host.Home));
    }
}
