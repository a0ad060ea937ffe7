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
        HostKeys = LoadHostKeys(kind => !kind.IsSlow);
        _server = new(
            new()
            {
                EndPoints = [.. options.SshAddresses.Select(address => new IPEndPoint(address, options.SshPort))],
                HostKeys = HostKeys,
                Algorithms = options.SshAlgorithms,
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
        if (HostKeys.Count < options.SshAlgorithms.HostKeys.Count)
            _ = Task.Run(AddSlowHostKeys, CancellationToken.None);
    }

    public Task StopAsync(CancellationToken cancellationToken) => _server?.StopAsync(cancellationToken) ?? Task.CompletedTask;

    public ValueTask DisposeAsync() => _server?.DisposeAsync() ?? ValueTask.CompletedTask;

    private async Task<int> ServeAsync(SshSession session, CancellationToken cancel)
    {
        var streams = new CommandStreams(session.Input, session.Output, session.Error)
        {
            Variables = EnvMap.From(session.Environment.Where(pair => pair.Key == "GIT_PROTOCOL")),
            Signals = session.Signals,
        };
        var caller = new Caller(session.Key.Name, session.Key.Fingerprint);
        try
        {
            return await _router.RunAsync(CommandLine.Parse(session.Command), caller, streams, session.Id, cancel);
        }
        catch (UserError wrong)
        {
            await session.Error.LineAsync($"Error: {wrong.Message}", cancel);
            return Usage.ExitStatus;
        }
    }

    /// <summary>On the first start: whoever connects meanwhile does without; a daemon that stops meanwhile begins anew.</summary>
    private void AddSlowHostKeys()
    {
        try
        {
            HostKeys = LoadHostKeys(_ => true);
            _server!.UseHostKeys(HostKeys);
        }
        catch (UserError unusable)
        {
            loggers.CreateLogger<SshEndpoint>().HostKeyMissing(unusable.Message);
        }
    }

    /// <summary>The keys, after making those that are missing, of these kinds.</summary>
    private IReadOnlyList<HostKey> LoadHostKeys(Func<HostKeyType, bool> make)
    {
        var (folder, kinds) = (piku.Paths.HostKeys, options.SshAlgorithms.HostKeys);
        try
        {
            HostKeyStore.Make(folder, HostKeyStore.Missing(folder, kinds.Where(make)));
            return HostKeyStore.Load(folder, kinds);
        }
        catch (Exception unusable) when (unusable is FormatException or IOException or UnauthorizedAccessException)
        {
            throw new UserError($"{unusable.Message.TrimEnd('.')}.", unusable);
        }
    }
}
