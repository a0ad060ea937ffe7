using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Piku.Core.Model;

namespace Piku.Core.Formats;

/// <summary>
/// What an app runs, one <c>kind: command</c> a line. Split at the first colon, both sides trimmed; blank lines and
/// lines that begin with <c>#</c> say nothing.
/// </summary>
/// <param name="Entries">One per kind, in the order in which the kinds first appear.</param>
/// <param name="Warnings">A sentence for every line that was skipped or overruled.</param>
public sealed record Procfile(ImmutableArray<ProcfileEntry> Entries, ImmutableArray<string> Warnings)
{
    /// <summary>Longest kind in characters; with an app's name and an ordinal it still fits a file name.</summary>
    public const int MaxKindLength = 63;

    private static readonly string[] WebServers = ["wsgi", "jwsgi", "rwsgi"];

    /// <summary>The command that runs before the build, if there is one.</summary>
    public string? Preflight => Find("preflight")?.Command;

    /// <summary>The command that runs after the build, if there is one.</summary>
    public string? Release => Find("release")?.Command;

    /// <summary>What is started and kept running: everything but preflight and release.</summary>
    public IEnumerable<ProcfileEntry> Workers => Entries.Where(entry => entry.Kind is not ("preflight" or "release"));

    public ProcfileEntry? Find(string kind) => Entries.FirstOrDefault(entry => entry.Kind == kind);

    /// <summary>Reads a Procfile. A bad line is skipped with a warning; of a repeated kind the last wins.</summary>
    /// <exception cref="UserError">Nothing is left to do, or a cron line cannot be kept (D8).</exception>
    public static Procfile Parse(string text)
    {
        var entries = new List<ProcfileEntry>();
        var warnings = ImmutableArray.CreateBuilder<string>();
        foreach (var (number, line) in TextLines.Saying(text))
        {
            if (!TryReadEntry(line, number, out var entry, out var problem))
                warnings.Add($"Procfile line {number} is skipped: {problem}.");
            else if (entries.FindIndex(earlier => earlier.Kind == entry.Kind) is var index and >= 0)
            {
                warnings.Add($"Procfile line {number} replaces the '{entry.Kind}' of line {entries[index].Line}: a kind can be used once.");
                entries[index] = entry;
            }
            else
                entries.Add(entry);
        }
        if (entries.Find(entry => WebServers.Contains(entry.Kind)) is { } server && entries.RemoveAll(entry => entry.Kind == "web") > 0)
            warnings.Add($"The Procfile has both '{server.Kind}' and 'web'; 'web' is not started.");
        if (entries.Count == 0)
            throw new UserError("The Procfile starts nothing: add a line such as 'web: ./server'.");
        entries.ForEach(ProcfileAdvice.Refuse);
        warnings.AddRange(entries.Select(ProcfileAdvice.Warning).OfType<string>());
        return new Procfile([.. entries], warnings.ToImmutable());
    }

    private static bool TryReadEntry(
        string line, int number, [NotNullWhen(true)] out ProcfileEntry? entry, [NotNullWhen(false)] out string? problem)
    {
        var colon = line.IndexOf(':', StringComparison.Ordinal);
        var (kind, command) = colon < 0 ? (line, "") : (line[..colon].TrimEnd(), line[(colon + 1)..].TrimStart());
        problem = colon < 0 ? "it has no colon; write 'kind: command'"
            : !IsKind(kind) ? $"a kind is up to {MaxKindLength} letters, digits, '_', '-' and '.'"
            : command.Length == 0 && kind is not ("static" or "php") ? $"'{kind}' has no command"
            : command.Any(c => char.IsControl(c) && c != '\t') ? $"the command of '{kind}' has a control character"
            : null;
        entry = problem is null ? new ProcfileEntry(kind, command, number) : null;
        return problem is null;
    }

    /// <summary>True for what is safe in the name of a file, and short enough for it.</summary>
    public static bool IsKind(string kind) =>
        kind.Length is > 0 and <= MaxKindLength && kind.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.');
}
