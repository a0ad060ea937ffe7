using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Piku.Core.Machine;
using Piku.Core.Model;
using Piku.Core.Services;

namespace Piku.Server.Hosting.Supervision;

/// <summary>Runs nginx where no systemd does: as our user, on our ports, with the sites that it accepts.</summary>
internal sealed class NginxService : BackgroundService
{
    /// <summary>The name in the certificate for names that nobody has (RFC 2606: never anybody's).</summary>
    private static readonly string[] NoName = ["piku.invalid"];

    private readonly PikuPaths _paths;
    private readonly NginxFiles _files;
    private readonly NginxOptions _options;
    private readonly NginxServer _server;
    private readonly NginxMaster _master;
    private readonly EnvMap _environment;
    private readonly TimeProvider _clock;
    private readonly ILogger<NginxService> _logger;
    private readonly SupervisedProgram _program;
    private DateTime _read;

    /// <param name="environment">What programs may see of ours: PATH, HOME, USER, LANG.</param>
    public NginxService(PikuPaths paths, NginxOptions options, EnvMap environment, TimeProvider clock, ILogger<NginxService> logger)
    {
        (_paths, _files, _options, _environment, _clock, _logger) = (paths, new(paths), options, environment, clock, logger);
        (_server, _master) = (new(paths, environment, clock), new(_files, clock));
        _program = new(new("nginx", PrepareAsync, IsReadyAsync, NginxMessage.Read), RestartPolicy.Default, clock, logger);
    }

    /// <inheritdoc cref="SupervisedProgram.Ready"/>
    public Task Ready => _program.Ready;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => _program.RunAsync(stoppingToken);

    private async Task<ProgramCall> PrepareAsync(CancellationToken cancellationToken)
    {
        if (!Ready.IsCompleted)
            CheckPorts();
        foreach (var folder in new[] { _paths.NginxRoot, _files.Temporary })
            Directory.CreateDirectory(folder);
        EnsureCertificate();
        await WriteConfigAsync(_files, _options, _environment, cancellationToken);
        Tell(await _server.ListGoodSitesAsync(cancellationToken));
        _read = _server.Changed;
        return new()
        {
            Program = "nginx",
            Arguments = ["-c", _files.Config],
            Folder = _paths.Root,
            Environment = _environment,
        };
    }

    /// <summary>Writes the main configuration, around all sites.</summary>
    /// <exception cref="UserError">nginx is not there, or cannot do what the options want.</exception>
    public static async Task WriteConfigAsync(NginxFiles files, NginxOptions options, EnvMap environment, CancellationToken cancellationToken)
    {
        var facts = await NginxFacts.ReadAsync(environment, cancellationToken);
        if (!options.TrustedProxies.IsEmpty && !facts.HasRealIp)
            throw new UserError("nginx.trusted_proxies needs nginx's realip module, and this nginx was built without it: take the option out of piku.toml, or install another nginx.");
        var mimeTypes = Path.Combine(facts.ConfigFolder, "mime.types");
        var list = AtomicFile.ReadIfExists(mimeTypes) is { } text ? new MimeTypes(mimeTypes, text) : null;
        AtomicFile.Write(files.Config, NginxConfig.Write(files, options, list), AtomicFile.Readable);
    }

    private void CheckPorts()
    {
        Ports.CheckFree(_options.HttpPort, Ports.HttpVariable, _options.ListensOnIpv6);
        Ports.CheckFree(_options.HttpsPort, Ports.HttpsVariable, _options.ListensOnIpv6);
    }

    private void EnsureCertificate()
    {
        if (AtomicFile.ReadIfExists(_files.DefaultCertificate) is { } present && File.Exists(_files.DefaultCertificateKey)
            && SelfSignedCertificate.IsCurrent(present, NoName, _clock))
            return;
        var made = SelfSignedCertificate.Create(NoName, _clock);
        AtomicFile.Write(_files.DefaultCertificateKey, made.Key, AtomicFile.Secret);
        AtomicFile.Write(_files.DefaultCertificate, made.Certificate, AtomicFile.Readable);
    }

    private async Task<bool> IsReadyAsync(int processId, CancellationToken cancellationToken)
    {
        if (_master.ProcessId != processId)
            return false;
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, _options.HttpPort, cancellationToken);
        }
        catch (SocketException)
        {
            return false;
        }
        // It may have read the sites long before it could listen and be told of a change.
        if (_server.Changed != _read)
            Tell(await _server.ReloadAsync(cancellationToken));
        return true;
    }

    private void Tell(IReadOnlyList<BrokenSite> sites)
    {
        foreach (var site in sites)
            Log.BrokenSite(_logger, site.Path, site.Message);
    }
}
