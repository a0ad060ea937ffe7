using System.Collections.Frozen;
using Piku.Server.Sftp;

namespace Piku.Server.Commands;

/// <summary>What <c>sftp</c>, <c>sshfs</c> and <c>scp</c> call: the files of the apps.</summary>
internal static class FileVerbs
{
    /// <summary>Verbs by the name of the SSH subsystem that they serve.</summary>
    public static readonly FrozenDictionary<string, string> Subsystems = new Dictionary<string, string>
    {
        ["sftp"] = "sftp-server",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    public static async Task<int> SftpAsync(CommandCall call, CancellationToken cancel)
    {
        using var server = new SftpServer(Files(call));
        return await server.ServeAsync(call.Streams.Input, call.Streams.Output, cancel) ? 0 : 1;
    }

    /// <summary><c>scp -O</c>, and every scp before OpenSSH 9.0.</summary>
    public static Task<int> ScpAsync(CommandCall call, CancellationToken cancel) =>
        new ScpServer(Files(call), call.Streams.Input, call.Streams.Output).RunAsync(ScpArguments.Parse(call.Arguments), cancel);

    private static FileTree Files(CommandCall call) => new(
        call.Piku.Paths,
        app => call.Caller.Rights.MayWrite(app) ? Access.Write : call.Caller.Rights.MayRead(app) ? Access.Read : Access.None);
}
