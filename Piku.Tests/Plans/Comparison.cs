using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Piku.Core.Formats;
using Piku.Core.Model;
using Piku.Core.Nginx;
using Piku.Core.Runtimes;
using Piku.Core.Workers;

namespace Piku.Tests.Plans;

/// <summary>
/// Compares plans with a recording by meaning, and says each difference in one line: <c>-</c> for what only upstream
/// has, <c>+</c> for what only we have. Free are the order, repeated and relative entries of PATH, and git's own.
/// </summary>
internal static partial class Comparison
{
    public static IEnumerable<string> Runs(IEnumerable<RecordedRun> theirs, IEnumerable<BuildAction.Run> ours)
    {
        var mine = ours.ToList();
        foreach (var run in theirs)
        {
            var same = mine.Find(one => one.Argv[0] == run.Tool && one.Argv.Skip(1).SequenceEqual(run.Arguments) && one.Folder == run.Folder);
            if (same is null)
                yield return $"- run {run.Tool} {string.Join(' ', run.Arguments)} in {run.Folder}";
            else
            {
                mine.Remove(same);
                foreach (var line in Seen(run, same.Environment))
                    yield return $"run {run.Tool}: {line}";
            }
        }
        foreach (var run in mine)
            yield return $"+ run {string.Join(' ', run.Argv)} in {run.Folder}";
    }

    public static IEnumerable<string> Vassals(IReadOnlyDictionary<string, RecordedVassal> theirs, IEnumerable<Vassal> ours)
    {
        var mine = ours.ToDictionary(vassal => vassal.FileName);
        foreach (var name in theirs.Keys.Union(mine.Keys).Order(StringComparer.Ordinal))
        {
            if (!mine.TryGetValue(name, out var vassal))
                yield return $"- vassal {name}";
            else if (!theirs.TryGetValue(name, out var recorded))
                yield return $"+ vassal {name}";
            else
            {
                var settings = vassal.Settings.ToLookup(setting => setting.Option == "env");
                var environment = EnvMap.From(settings[true].Select(setting => setting.Value.Split('=', 2)).Select(pair => KeyValuePair.Create(pair[0], pair[1])));
                foreach (var line in Lines(recorded.Lines.Select(Truth), settings[false].Select(setting => Once($"{setting.Option} = {setting.Value}"))))
                    yield return $"vassal {vassal.Kind}: {line}";
                foreach (var line in Environments(recorded.Environment, environment))
                    yield return $"vassal {vassal.Kind}: {line}";
            }
        }
    }

    public static IEnumerable<string> Sites(IEnumerable<NginxDirective>? theirs, Site? ours) =>
        Lines(Flat(theirs ?? [], ""), Flat(ours?.ToDirectives() ?? [], "")).Select(line => $"site: {line}");

    public static IEnumerable<string> LiveEnv(EnvMap? theirs, EnvMap ours) =>
        Environments(theirs ?? EnvMap.Empty, ours).Select(line => $"LIVE_ENV: {line}");

    public static IEnumerable<string> ScalingFile(Scaling? theirs, Scaling ours) =>
        Lines((theirs ?? Scaling.Default).Write().Split('\n'), ours.Write().Split('\n')).Select(line => $"SCALING: {line}");

    /// <summary>What a run saw upstream, it must see here; that it sees more is D3.</summary>
    private static IEnumerable<string> Seen(RecordedRun run, EnvMap ours)
    {
        var (mine, theirs) = (Normal(ours), Normal(run.Environment));
        var folders = (mine.Find("PATH") ?? "").Split(':');
        foreach (var folder in (theirs.Find("PATH") ?? "").Split(':').Where(folder => !folders.Contains(folder)))
            yield return $"- PATH {folder}";
        foreach (var (name, value) in theirs.Without("PATH").Where(variable => mine.Find(variable.Key) != variable.Value))
            yield return $"- {name}={value} + {mine.Find(name) ?? "nothing"}";
    }

    private static IEnumerable<string> Environments(EnvMap theirs, EnvMap ours) =>
        Lines(Normal(theirs).Select(one => $"{one.Key}={one.Value}"), Normal(ours).Select(one => $"{one.Key}={one.Value}"));

    private static IEnumerable<string> Lines(IEnumerable<string> theirs, IEnumerable<string> ours)
    {
        var mine = ours.ToList();
        foreach (var line in theirs)
        {
            if (!mine.Remove(line))
                yield return $"- {line}";
        }
        foreach (var line in mine)
            yield return $"+ {line}";
    }

    private static EnvMap Normal(EnvMap map) => map.Find("PATH") is not { } path ? map
        : map.With("PATH", string.Join(':', path.Split(':').Where(folder => folder.StartsWith('/') && folder != "/usr/lib/git-core").Distinct().Order(StringComparer.Ordinal)));

    /// <summary>What runs a command of cron once in its minute is ours; the command is as it was written (D22, D33).</summary>
    private static string Once(string line) => CronRun().Match(line) is { Success: true } match
        ? match.Groups["when"].Value + Assert.Single(ShellWords.Split(match.Groups["command"].Value))
        : line;

    private static string Truth(string line) => TrueValue().Replace(line, "= true");

    /// <summary>Each simple directive with the blocks it stands in; the servers of a file by their number.</summary>
    private static IEnumerable<string> Flat(IEnumerable<NginxDirective> directives, string path)
    {
        var servers = 0;
        foreach (var directive in directives)
        {
            var name = directive.Name == "server" && directive.Block is not null ? $"server {++servers}" : directive.ToString();
            foreach (var line in directive.Block is { } block ? Flat(block, $"{path}{name} > ") : [path + name])
                yield return line;
        }
    }

    [GeneratedRegex(@"^(?<when>cron = (?:-?\d+ ){5})exec /bin/sh \S+/uwsgi/cron\.sh \S+ '\*' (?<command>.*)$")]
    private static partial Regex CronRun();

    [GeneratedRegex("= True$")]
    private static partial Regex TrueValue();
}
