using Piku.Core.Deploy;
using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Server.Hosting;

/// <summary>From the environment and <c>piku.toml</c> to an installation, for the daemon and for a local call alike.</summary>
internal static class Composition
{
    /// <summary>PIKU_ROOT, or <c>~/.piku</c>.</summary>
    private static PikuPaths Paths() =>
        new(Environment.GetEnvironmentVariable("PIKU_ROOT") is { Length: > 0 } root ? root : Path.Combine(UnixUser.Current.Home, ".piku"));

    /// <summary>Where the installation is, and how it is set up.</summary>
    /// <exception cref="UserError">An option is not understood.</exception>
    public static (PikuPaths Paths, PikuOptions Options) Read()
    {
        var paths = Paths();
        var options = OptionTable.Read(AtomicFile.ReadIfExists(paths.Config), paths.Config, Environment.GetEnvironmentVariable);
        return (paths, options);
    }

    public static Installation Installation(PikuPaths paths, PikuOptions options) =>
        new(paths, new HostReader(options.HttpPort, options.HttpsPort, options.AcmeFolder), TimeProvider.System)
        {
            CloudflareSource = options.CloudflareSource,
            ParallelDeploys = options.ParallelDeploys,
            RunsNginx = options.Supervise,
        };

    /// <summary>Apps run as whoever runs piku, and no app is to run as root. The root of a namespace is nobody outside of it.</summary>
    /// <exception cref="UserError">We are root.</exception>
    public static void RefuseRoot()
    {
        if (UnixUser.Current.IsRoot && !AppUserNamespace.IsInside)
            throw new UserError("piku does not run as root, because apps run as the same user: run it as the user piku, for example with 'runuser -u piku -- piku …'.");
    }
}
