using System.Runtime.InteropServices;
using System.Text.Unicode;
using Microsoft.Extensions.Logging.Abstractions;
using Piku.Core.Deploy;
using Piku.Core.Machine;
using Piku.Core.Model;
using Piku.Server.Commands;

namespace Piku.Server.Hosting;

/// <summary>
/// A command typed on the server itself: the same table, the same code, in this process. It works with and without
/// a running daemon, because apps are locked by files, and the emperor and nginx are reached from any process.
/// </summary>
internal static class LocalCall
{
    /// <summary>How often the reader of a pipe is looked for.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);

    /// <summary>What works without an installation, and so for anybody.</summary>
    private static readonly string[] ForAnybody = ["", "help", "--help", "-h", "version", "--version", "update"];

    /// <summary>What makes an installation where there is none.</summary>
    private static readonly string[] ForBeginners = ["setup", "setup:ssh"];

    public static async Task<int> RunAsync(IReadOnlyList<string> arguments)
    {
        using var interrupt = new CancellationTokenSource();
        using var unread = new CancellationTokenSource();
        using var onInterrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
        using var onTerminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
        await using var output = Console.OpenStandardOutput();
        await using var error = Console.OpenStandardError();
        await using var input = Console.OpenStandardInput();
        try
        {
            var line = HasUnreadable(arguments) ? CommandLine.Unreadable : CommandLine.From(arguments);
            if (!ForAnybody.Contains(line.Verb))
                Composition.RefuseRoot();
            var (paths, options) = Composition.Read();
            if (!ForAnybody.Contains(line.Verb) && !ForBeginners.Contains(line.Verb))
                RequireInstallation(paths);
            if (!ForAnybody.Contains(line.Verb))
                paths = await AppUserNamespace.EnterAsync(paths, options, arguments);
            var piku = Composition.Installation(paths, options);
            var router = new CommandRouter(piku, Recorder(piku), NullLogger<CommandRouter>.Instance);
            await using var readers = new Timer(_ => EndWithoutReader(), null, TimeSpan.Zero, Look);
            var status = await router.RunAsync(line, new(UnixUser.Current.Name, Rights.All, Fingerprint: null, Address: null), new(input, output, error) { Unread = unread.Token }, "local", interrupt.Token);
            await piku.Aftermath.WhenDone().WaitAsync(interrupt.Token);
            return status;
        }
        catch (UserError wrong)
        {
            await error.LineAsync($"Error: {wrong.Message}", CancellationToken.None);
            return 1;
        }
        catch (OperationCanceledException) when (unread.IsCancellationRequested)
        {
            return 128 + Signals.Pipe;
        }
        catch (OperationCanceledException) when (interrupt.IsCancellationRequested)
        {
            return 128 + Signals.Interrupt;
        }

        void EndWithoutReader()
        {
            if (StandardOutput.HasNoReader)
                unread.Cancel();
        }

        void End(PosixSignalContext signal)
        {
            signal.Cancel = true;
            interrupt.Cancel();
        }
    }

    /// <exception cref="UserError">A folder that is not there, or is another one, has no apps; but that is not what was asked.</exception>
    private static void RequireInstallation(PikuPaths paths)
    {
        if (!Directory.Exists(paths.Apps) || !Directory.Exists(paths.Repos))
            throw new UserError($"there is no piku installation in {paths.Root}: set PIKU_ROOT to the folder of one, or make one with 'piku setup' or 'piku serve'.");
    }

    /// <summary>.NET replaces bytes that are not UTF-8 by a character that somebody may also have meant.</summary>
    private static bool HasUnreadable(IEnumerable<string> arguments) =>
        arguments.Any(word => word.Contains('\uFFFD', StringComparison.Ordinal)) && !Utf8.IsValid(File.ReadAllBytes("/proc/self/cmdline"));

    /// <summary>Without an installation there is nothing to keep a record of.</summary>
    private static Action<CommandRecord> Recorder(Installation piku) => Directory.Exists(piku.Paths.Audit)
        ? new AuditLog(piku.Paths, piku.Clock, NullLogger<AuditLog>.Instance).Record
        : _ => { };
}
