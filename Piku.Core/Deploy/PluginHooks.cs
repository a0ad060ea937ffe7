using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Core.Deploy;

/// <summary>
/// The hooks of plugins: programs <c>plugins/NAME/hooks/HOOK</c> that are told of what happens to an app, by the names
/// of the plugins. See docs/plugins.md.
/// </summary>
/// <param name="by">Who wants it, as the hooks read it in PIKU_CALLER.</param>
internal sealed class PluginHooks(Installation piku, AppName app, string by, DeployLog log)
{
    /// <summary>For a hook that is only told: what comes after it must not wait for ever.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    /// <summary>Asks before something happens.</summary>
    /// <exception cref="UserError">A hook failed, and so it must not happen.</exception>
    public async Task AskAsync(string hook, CancellationToken cancel)
    {
        foreach (var program in Programs(hook))
        {
            if (await RunAsync(program, cancel) is { Succeeded: false } status)
                throw new UserError($"the {hook} hook of the plugin '{PluginOf(program)}' refused with {status}.");
        }
    }

    /// <summary>Tells what has happened: a hook that fails changes nothing about it.</summary>
    public async Task TellAsync(string hook, CancellationToken cancel)
    {
        foreach (var program in Programs(hook))
        {
            if (await ProblemAsync(program, cancel) is { } problem)
                await log.WarnAsync($"the {hook} hook of the plugin '{PluginOf(program)}' {problem}.", cancel);
        }
    }

    private async Task<string?> ProblemAsync(string program, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(Patience);
        try
        {
            return await RunAsync(program, limit.Token) is { Succeeded: false } status ? $"failed with {status}" : null;
        }
        catch (UserError broken)
        {
            return $"cannot be run: {broken.Message.TrimEnd('.')}";
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return $"did not end within {Patience.TotalSeconds} seconds";
        }
    }

    private Task<ExitStatus> RunAsync(string program, CancellationToken cancel) => ChildProcess.RunAsync(
        new()
        {
            Program = program,
            // A hook runs as piku, and many a program obeys files of the folder that it is in: not those of another user.
            Folder = piku.Paths.App(app) is var folder && Directory.Exists(folder) && !piku.Users.Of(app).IsOther ? folder : piku.Paths.Root,
            Environment = piku.Host.Environment.WithAll(
            [
                new("PIKU_ROOT", piku.Paths.Root), new("PIKU_APP", app.Value), new("PIKU_CALLER", by),
            ]),
            Output = log.Output,
        },
        cancel);

    private IEnumerable<string> Programs(string hook) => !Directory.Exists(piku.Paths.Plugins) ? [] :
        Directory.GetDirectories(piku.Paths.Plugins).Order(StringComparer.Ordinal)
            .Select(plugin => Path.Combine(plugin, "hooks", hook)).Where(File.Exists);

    private static string PluginOf(string program) => Path.GetFileName(Path.GetDirectoryName(Path.GetDirectoryName(program)!))!;
}
