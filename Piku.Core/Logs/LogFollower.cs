using System.Runtime.CompilerServices;
using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Core.Logs;

/// <summary>
/// What <c>logs</c> shows: the last lines of each of an app's logs, then what is added to any of them, also to
/// those of workers that appear later, until the reader has enough. A log that was begun anew is continued backwards by the
/// one before.
/// </summary>
public sealed class LogFollower(PikuPaths paths)
{
    /// <summary>Lines of each log that are shown first, as upstream does.</summary>
    public const int CatchUp = 20;

    /// <summary>How often the logs are looked at. A person reads no faster, and one look is one fstat a file.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    /// <param name="app">Whose logs.</param>
    /// <param name="process">A kind of worker, <c>web</c>, or one worker, <c>web.2</c>; null for all.</param>
    /// <param name="cancel">Ends the following.</param>
    /// <exception cref="UserError">There is no such log yet.</exception>
    public async IAsyncEnumerable<string> FollowAsync(
        AppName app, string? process, [EnumeratorCancellation] CancellationToken cancel)
    {
        var logs = new Dictionary<string, LogFile>();
        try
        {
            var earlier = new List<(string Path, string Line)>();
            foreach (var path in Find(app, process))
            {
                logs[path] = new(path);
                var missing = await logs[path].SeekToLastLinesAsync(CatchUp, cancel);
                earlier.AddRange((await logs[path].LinesBeforeAsync(missing, cancel)).Select(line => (path, line)));
            }
            if (logs.Count == 0)
                throw new UserError(process is null ? $"there are no logs for app '{app}' yet." : $"there are no logs for '{process}' of app '{app}'.");
            using var timer = new PeriodicTimer(Interval);
            do
            {
                foreach (var path in Find(app, process).Where(path => !logs.ContainsKey(path)))
                    logs[path] = new(path);
                var width = logs.Keys.Max(path => Label(path).Length);
                foreach (var log in logs.Values)
                {
                    foreach (var (_, line) in earlier.Where(one => one.Path == log.Path))
                        yield return $"{Label(log.Path).PadRight(width)} | {line}";
                    earlier.RemoveAll(one => one.Path == log.Path);
                    await foreach (var line in log.NewLinesAsync(cancel))
                        yield return $"{Label(log.Path).PadRight(width)} | {line}";
                }
            }
            while (await timer.WaitForNextTickAsync(cancel));
        }
        finally
        {
            foreach (var log in logs.Values)
                log.Dispose();
        }
    }

    private List<string> Find(AppName app, string? process) => Owner.Of(paths.AppLogs(app)).Do(() =>
        !Directory.Exists(paths.AppLogs(app)) ? [] : Directory.EnumerateFiles(paths.AppLogs(app), "*.log")
            .Where(path => process is null || Label(path) == process || Kind(path) == process)
            .Order(StringComparer.Ordinal).ToList());

    private static string Label(string path) => Path.GetFileNameWithoutExtension(path);

    private static string Kind(string path) => Path.GetFileNameWithoutExtension(Label(path));
}
