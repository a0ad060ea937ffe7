using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Piku.Core.Machine;
using Piku.Core.Model;
using Piku.Server.Commands;
using Piku.Server.Ssh;
using Piku.Server.Ssh.Authentication;

namespace Piku.Server.Hosting;

/// <summary>
/// Who did what: one line in the log and one JSON object a line in <c>audit/audit.jsonl</c>, for every connection,
/// command and forwarded connection when it is over, and for who came in, was refused or is blocked. At <see cref="MaxLength"/> the file becomes <c>audit.jsonl.1</c>, and so on.
/// </summary>
internal sealed partial class AuditLog(PikuPaths paths, TimeProvider clock, ILogger<AuditLog> log)
{
    /// <summary>In bytes, of each file: some forty thousand commands.</summary>
    private const long MaxLength = 10 * 1024 * 1024;

    /// <summary>Old files kept beside the present one.</summary>
    private const int KeptFiles = 5;

    private readonly Lock _gate = new();

    public string File { get; } = Path.Combine(paths.Audit, "audit.jsonl");

    public void Record(CommandRecord call)
    {
        var (caller, address) = (call.Caller, call.Caller.Address?.ToString() ?? "this host");
        var outcome = call.Status is { } status ? $"status {status}" : "the client went away";
        var name = Printable.Text(caller.Name);
        LogCommand(call.Id, address, name, caller.Fingerprint, call.Command, outcome, call.Duration);
        Append(new(clock.GetUtcNow(), "command", call.Id, address, caller.Name, caller.Fingerprint)
        {
            Command = call.Command,
            App = call.App?.Value,
            Status = call.Status,
            Seconds = Seconds(call.Duration),
        });
    }

    public void Record(SshRecord happened)
    {
        switch (happened)
        {
            case SshRefusal refusal:
                Append(Entry("refused", refusal, null, null) with { Outcome = refusal.Reason, More = refusal.Untold });
                break;
            case SshBlock block:
                Append(Entry("blocked", block, null, null) with { Seconds = Seconds(block.Duration) });
                break;
            case SshLogin login:
                Append(Entry("login", login, login.Id, login.User) with { Client = login.ClientVersion });
                break;
            case SshForward forward:
                Record(forward);
                break;
            case SshConnectionRecord connection:
                Record(connection);
                break;
        }
    }

    private void Record(SshForward forward)
    {
        var key = forward.User.Key;
        var name = Printable.Text(key.Name);
        var target = Printable.Text($"{forward.Target.Host}:{forward.Target.Port}");
        LogForward(
            forward.Id, forward.Address, name, key.Fingerprint, target, forward.Refusal ?? "done",
            forward.Sent, forward.Received, forward.Duration);
        Append(Entry("forward", forward, forward.Id, forward.User) with
        {
            Target = target,
            Outcome = forward.Refusal,
            Sent = forward.Sent,
            Received = forward.Received,
            Seconds = Seconds(forward.Duration),
        });
    }

    private AuditEntry Entry(string name, SshRecord happened, string? id, AuthenticatedUser? user) =>
        new(clock.GetUtcNow(), name, id, happened.Address.ToString(), user?.Key.Name, user?.Key.Fingerprint);

    private static double Seconds(TimeSpan duration) => Math.Round(duration.TotalSeconds, 3);

    private void Record(SshConnectionRecord connection)
    {
        var (key, address) = (connection.User?.Key, connection.Address.ToString());
        var name = Printable.Text(key?.Name ?? "nobody");
        LogConnection(connection.Id, address, name, key?.Fingerprint, connection.Duration, connection.Reason);
        Append(Entry("connection", connection, connection.Id, connection.User) with
        {
            Client = connection.ClientVersion,
            Outcome = connection.Reason,
            Seconds = Seconds(connection.Duration),
        });
    }

    /// <summary>A full disk must not keep anybody from freeing it: what cannot be written is said to the log.</summary>
    private void Append(AuditEntry entry)
    {
        var line = Encoding.UTF8.GetBytes(JsonSerializer.Serialize(entry, AuditJson.Default.AuditEntry) + "\n");
        lock (_gate)
        {
            try
            {
                Directory.CreateDirectory(paths.Audit);
                if (new FileInfo(File) is { Exists: true, Length: > MaxLength })
                    Rotate();
                using var file = new FileStream(File, new FileStreamOptions
                {
                    Mode = FileMode.Append,
                    Access = FileAccess.Write,
                    Share = FileShare.ReadWrite,
                    UnixCreateMode = AtomicFile.Secret,
                    BufferSize = 0,
                });
                file.Write(line);
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                LogUnwritten(File, failure.Message);
            }
        }
    }

    private void Rotate()
    {
        for (var number = KeptFiles - 1; number > 0; number--)
        {
            if (System.IO.File.Exists($"{File}.{number}"))
                System.IO.File.Move($"{File}.{number}", $"{File}.{number + 1}", overwrite: true);
        }
        System.IO.File.Move(File, $"{File}.1", overwrite: true);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Id}: {Name} ({Fingerprint}) from {Address}: {Command}: {Outcome} after {Duration}")]
    private partial void LogCommand(string id, string address, string name, string? fingerprint, string command, string outcome, TimeSpan duration);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Id}: {Name} ({Fingerprint}) from {Address} was connected for {Duration}: {Reason}")]
    private partial void LogConnection(string id, string address, string name, string? fingerprint, TimeSpan duration, string? reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Id}: {Name} ({Fingerprint}) from {Address}: forwarded to {Target}: {Outcome}, {Sent} bytes to and {Received} from the client in {Duration}")]
    private partial void LogForward(
        string id, IPAddress address, string name, string fingerprint, string target, string outcome, long sent, long received, TimeSpan duration);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{File} cannot be written: {Reason}")]
    private partial void LogUnwritten(string file, string reason);
}
