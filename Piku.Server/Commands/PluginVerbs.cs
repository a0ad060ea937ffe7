using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Server.Commands;

/// <summary>
/// The verbs of plugins: every program <c>plugins/NAME/VERB</c>. What <c>VERB.help</c> beside it says makes it a row
/// like those of <see cref="VerbTable"/>: <c>Usage: APP [WHAT]</c>, <c>Needs: read</c> and a summary, a line each.
/// Without it, only admins may call it. See docs/plugins.md.
/// </summary>
internal static partial class PluginVerbs
{
    private const UnixFileMode Executable = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    /// <summary>All of them, by name. Of two plugins with the same verb the first counts, and piku's own verbs come before any.</summary>
    public static ImmutableArray<Verb> All(PikuPaths paths) =>
    [
        .. Programs(paths).DistinctBy(program => Path.GetFileName(program)).Select(ReadVerb).OrderBy(verb => verb.Name, StringComparer.Ordinal),
    ];

    public static Verb? Find(PikuPaths paths, string name) =>
        Name().IsMatch(name) && Programs(paths).FirstOrDefault(program => Path.GetFileName(program) == name) is { } found ? ReadVerb(found) : null;

    private static IEnumerable<string> Programs(PikuPaths paths) => !Directory.Exists(paths.Plugins) ? [] :
        Directory.GetDirectories(paths.Plugins).Order(StringComparer.Ordinal)
            .SelectMany(plugin => Directory.GetFiles(plugin).Order(StringComparer.Ordinal))
            .Where(file => Name().IsMatch(Path.GetFileName(file)) && (File.GetUnixFileMode(file) & Executable) != 0);

    private static Verb ReadVerb(string program)
    {
        var lines = (AtomicFile.ReadIfExists(program + ".help") ?? "").Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var name = Path.GetFileName(program);
        var usage = Header(lines, "Usage:") ?? "[ARGUMENT...]";
        var summary = lines.FirstOrDefault(line => !line.StartsWith("Usage:", StringComparison.Ordinal) && !line.StartsWith("Needs:", StringComparison.Ordinal));
        return new(name, usage, NeedsOf(Header(lines, "Needs:")), summary ?? $"Of the plugin '{Path.GetFileName(Path.GetDirectoryName(program))}'.", (call, cancel) => RunAsync(program, call, cancel))
        {
            Usage = new(name, usage) { IsForProgram = true },
        };
    }

    private static string? Header(string[] lines, string name) =>
        lines.FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))?[name.Length..].Trim();

    /// <summary>What is not understood is no right that anybody has by mistake.</summary>
    private static Right NeedsOf(string? text) => text switch
    {
        "nothing" => Right.None,
        "read" => Right.Read,
        "deploy" => Right.Deploy,
        "destroy" => Right.Destroy,
        _ => Right.Administer,
    };

    private static async Task<int> RunAsync(string program, CommandCall call, CancellationToken cancel)
    {
        var status = await ChildProcess.RunAsync(
            new()
            {
                Program = program,
                Arguments = call.Arguments,
                Folder = call.Piku.Paths.Root,
                Environment = call.Piku.Host.Environment.WithAll(
                [
                    new("PIKU_ROOT", call.Piku.Paths.Root),
                    new("PIKU_CALLER", call.Caller.Name),
                    .. call.Target is null ? [] : (KeyValuePair<string, string>[])[new("PIKU_APP", call.App.Value)],
                ]),
                Input = call.Streams.Input,
                Output = call.Streams.Output.WriteAsync,
                Error = call.Streams.Error.WriteAsync,
            },
            cancel);
        return status.ShellCode;
    }

    [GeneratedRegex("^[a-z0-9][a-z0-9:_-]*$", RegexOptions.NonBacktracking)]
    private static partial Regex Name();
}
