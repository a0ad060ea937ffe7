using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Piku.Core.Deploy;
using Piku.Core.Model;
using Piku.Server.Commands;
using Piku.Server.Ssh;
using Piku.Server.Ssh.Authentication;
using Piku.Server.Ssh.Crypto;

namespace Piku.Server.Hosting;

/// <summary>Where the SSH server, which knows nothing of piku, meets the commands, which know nothing of SSH.</summary>
internal sealed partial class SshEndpoint(Installation piku, PikuOptions options, ILoggerFactory loggers) : IAsyncDisposable
{
    private readonly AuditLog _audit = new(piku.Paths, piku.Clock, loggers.CreateLogger<AuditLog>());
    private readonly KeyUses _uses = new(piku.Paths, piku.Clock);
    private readonly ILogger _log = loggers.CreateLogger<SshEndpoint>();
    private CommandRouter? _router;
    private SshServer? _server;

    public IReadOnlyList<HostKey> HostKeys { get; private set; } = [];

    /// <exception cref="UserError">A port is in use, or a host key is not readable.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        HostKeys = LoadHostKeys(kind => !kind.IsSlow);
        _router = new(piku, _audit.Record, loggers.CreateLogger<CommandRouter>());
        _server = new(
            new()
            {
                EndPoints = [.. options.SshAddresses.Select(address => new IPEndPoint(address, options.SshPort))],
                Listeners = options.SshListeners,
                HostKeys = HostKeys,
                Algorithms = options.SshAlgorithms,
                AuthorizedKeys = new(
                    piku.Paths.AuthorizedKeys, KeyRules.UpstreamProgram, new KeyRules(piku.Paths).Check, piku.Clock, loggers.CreateLogger<AuthorizedKeys>()),
                Record = _audit.Record,
                Proxies = options.SshProxies,
                Clock = piku.Clock,
                Subsystems = [.. FileVerbs.Subsystems.Keys],
                MayForward = MayForward,
                Limits = options.SshLimits,
            },
            ServeAsync,
            loggers.CreateLogger<SshServer>());
        try
        {
            await _server.StartAsync(cancellationToken);
        }
        catch (SshListenException taken)
        {
            throw new UserError(Ports.Sentence((SocketException)taken.InnerException!, options.SshPort, Ports.SshVariable), taken);
        }
        if (HostKeys.Count < options.SshAlgorithms.HostKeys.Count)
            _ = Task.Run(AddSlowHostKeys, CancellationToken.None);
    }

    /// <summary>Ends the endpoint when running commands have ended, within bounds.</summary>
    /// <param name="hurry">Ends the waiting for them.</param>
    public Task StopAsync(CancellationToken hurry) => _server?.StopAsync(hurry) ?? Task.CompletedTask;

    public ValueTask DisposeAsync() => _server?.DisposeAsync() ?? ValueTask.CompletedTask;

    private async Task<int> ServeAsync(SshSession session, CancellationToken cancel)
    {
        var streams = SessionStreams.Of(session);
        var caller = new Caller(session.Key.Name, Rights.Of(session.Key.Options), session.Key.Fingerprint, session.RemoteEndPoint.Address);
        RememberUse(session);
        var line = LineOf(session);
        return session.Terminal is not null && line.Verb != RunVerb.Name
            ? await SessionStreams.InterruptiblyAsync(session, over => _router!.RunAsync(line, caller, streams, session.Id, over), cancel)
            : await _router!.RunAsync(line, caller, streams, session.Id, cancel);
    }

    /// <summary>What a key is bound to runs, whatever was asked for.</summary>
    private static CommandLine LineOf(SshSession session) =>
        session.Key.ForcedCommand is null && session.Subsystem is { } name
            ? new(FileVerbs.Subsystems[name], [], "")
            : session.Key.ForcedCommand is null && !session.CommandIsReadable ? CommandLine.Unreadable
            : CommandLine.Parse(session.Key.ForcedCommand ?? session.Command);

    private static string? MayForward(AuthorizedKey key, ForwardTarget target) =>
        key.ForcedCommand is null && Rights.Of(key.Options).MayForward ? ForwardTarget.Allow(key, target) : "this key may not forward ports";

    private void RememberUse(SshSession session)
    {
        try
        {
            _uses.Remember(session.Key.Fingerprint, session.RemoteEndPoint.Address);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or UserError)
        {
            LogUseForgotten(failure.Message); // a full disk must not keep anybody from freeing it
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "the use of a key is not remembered: {Reason}")]
    private partial void LogUseForgotten(string reason);

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
