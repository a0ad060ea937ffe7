using System.Net;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Piku.Core.Deploy;
using Piku.Core.Model;
using Piku.Server.Commands;
using Piku.Server.Ssh;
using Piku.Server.Ssh.Authentication;
using Piku.Server.Ssh.Crypto;

namespace Piku.Server.Hosting;

/// <summary>Where the SSH server, which knows nothing of piku, meets the commands, which know nothing of SSH.</summary>
internal sealed class SshEndpoint(Installation piku, PikuOptions options, ILoggerFactory loggers) : IHostedService, IAsyncDisposable
{
    /// <summary>The program that upstream's lines in authorized_keys run; its NAME= is a key's name to us too.</summary>
    private const string UpstreamProgram = "piku.py";

    private readonly CommandRouter _router = new(piku, loggers.CreateLogger<CommandRouter>());
    private SshServer? _server;

    public IReadOnlyList<HostKey> HostKeys { get; private set; } = [];

    /// <exception cref="UserError">A port is in use, or a host key is not readable.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        HostKeys = LoadHostKeys();
        _server = new(
            new()
            {
                EndPoints = [.. options.SshAddresses.Select(address => new IPEndPoint(address, options.SshPort))],
                HostKeys = HostKeys,
                Subsystems = [.. FileVerbs.Subsystems.Keys],
                Limits = options.SshLimits,
                AuthorizedKeys = new(piku.Paths.AuthorizedKeys, UpstreamProgram, loggers.CreateLogger<AuthorizedKeys>()),
            },
            ServeAsync,
            loggers.CreateLogger<SshServer>());
        try
        {
            await _server.StartAsync(cancellationToken);
        }
        catch (SshListenException taken)
        {
            throw new UserError($"{taken.Message.TrimEnd('.')}: stop what uses it, or set PIKU_SSH_PORT to another port.", taken);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => _server?.StopAsync(cancellationToken) ?? Task.CompletedTask;

    public ValueTask DisposeAsync() => _server?.DisposeAsync() ?? ValueTask.CompletedTask;

    private async Task<int> ServeAsync(SshSession session, CancellationToken cancel)
    {
        var streams = SessionStreams.Of(session);
        var caller = new Caller(session.Key.Name, session.Key.Fingerprint);
        try
        {
            var line = session.Subsystem is { } name ? new CommandLine(FileVerbs.Subsystems[name], [], "") : CommandLine.Parse(session.Command);
            return session.Terminal is not null && line.Verb != RunVerb.Name
                ? await SessionStreams.InterruptiblyAsync(session, over => _router.RunAsync(line, caller, streams, session.Id, over), cancel)
                : await _router.RunAsync(line, caller, streams, session.Id, cancel);
        }
        catch (UserError wrong)
        {
            await streams.Error.LineAsync($"Error: {wrong.Message}", cancel);
            return Usage.ExitStatus;
        }
    }

    private IReadOnlyList<HostKey> LoadHostKeys()
    {
        try
        {
            return HostKeyStore.Load(piku.Paths.HostKeys);
        }
        catch (Exception unusable) when (unusable is FormatException or IOException or UnauthorizedAccessException)
        {
            throw new UserError($"{unusable.Message.TrimEnd('.')}.", unusable);
        }
    }
}
