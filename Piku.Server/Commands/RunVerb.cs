using System.Threading.Channels;
using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Server.Commands;

/// <summary>
/// <c>run</c>: a shell command in the app's folder with the app's live environment. Its exit status is ours (D15)
/// and it ends with its caller (D26).
/// </summary>
internal static class RunVerb
{
    public static async Task<int> RunAsync(CommandCall call, CancellationToken cancel)
    {
        var app = call.App;
        var command = WithoutFirstDashes(call.Line.Tail);
        if (command.Length == 0)
            throw UsageException.For(call.Verb.Usage, "there is nothing to run.");
        await using var child = await ChildProcess.StartAsync(new()
        {
            Program = "/bin/sh",
            Arguments = ["-c", command],
            Folder = FolderOf(call, app),
            Environment = call.Piku.Apps.LiveEnv(app) ?? call.Piku.Host.Environment,
            Input = call.Streams.Input,
            Output = call.Streams.Output.WriteAsync,
            Error = call.Streams.Error.WriteAsync,
        });
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var forwarding = ForwardSignalsAsync(call.Streams.Signals, child, over.Token);
        try
        {
            return (await child.Exit.WaitAsync(cancel)).ShellCode;
        }
        finally
        {
            await over.CancelAsync();
            await forwarding;
        }
    }

    private static string FolderOf(CommandCall call, AppName app) =>
        call.Piku.Paths.App(app) is var folder && Directory.Exists(folder) ? folder
        : throw new UserError($"'{app}' was never deployed: push it first.");

    private static async Task ForwardSignalsAsync(ChannelReader<string>? signals, ChildProcess child, CancellationToken over)
    {
        try
        {
            while (signals is not null && await signals.WaitToReadAsync(over))
            {
                if (signals.TryRead(out var name) && Signals.Number(name) is { } signal)
                    child.Signal(signal);
            }
        }
        catch (OperationCanceledException)
        {
            // The program has ended before the client.
        }
    }

    /// <summary>As upstream: the first <c>--</c> only says where piku's own options end.</summary>
    private static string WithoutFirstDashes(string tail)
    {
        if (tail == "--" || tail.StartsWith("-- ", StringComparison.Ordinal))
            return tail[2..].Trim();
        var at = tail.IndexOf(" -- ", StringComparison.Ordinal);
        return at < 0 ? tail : tail[..at] + tail[(at + 3)..];
    }
}
