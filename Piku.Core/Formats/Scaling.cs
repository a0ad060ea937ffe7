using System.Collections.Immutable;
using System.Globalization;
using Piku.Core.Model;

namespace Piku.Core.Formats;

/// <summary>How many processes run of each kind: the SCALING file, <c>kind:count</c> a line. A kind that is not named has one.</summary>
/// <param name="Counts">In the order of the file.</param>
public sealed record Scaling(ImmutableArray<KeyValuePair<string, int>> Counts)
{
    /// <summary>Most processes of one kind: far beyond the machines piku is for, and short of exhausting one by a slip.</summary>
    public const int MaxCount = 1000;

    public static readonly Scaling Default = new([]);

    /// <summary>Reads the file; of a repeated kind the last line wins.</summary>
    /// <exception cref="UserError">A line is not <c>kind:count</c>; the message names it.</exception>
    public static Scaling Parse(string text)
    {
        var scaling = Default;
        foreach (var (number, line) in TextLines.Saying(text))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0 || ReadCount(line[(colon + 1)..]) is not { } count)
                throw new UserError($"SCALING line {number}: '{line}' is not 'kind:count' with a count from 0 to {MaxCount}.");
            scaling = scaling.With(line[..colon].TrimEnd(), count);
        }
        return scaling;
    }

    /// <summary>Reads a count as a person types it.</summary>
    /// <exception cref="UserError">Not a number from 0 to <see cref="MaxCount"/>.</exception>
    public static int ParseCount(string text) =>
        ReadCount(text) ?? throw new UserError($"'{text}' is not a number of processes: use 0 to {MaxCount}.");

    public int Count(string kind) => IndexOf(kind) is var index and >= 0 ? Counts[index].Value : 1;

    /// <summary>The same with one count changed in its place, or added at the end.</summary>
    public Scaling With(string kind, int count) => IndexOf(kind) is var index and >= 0
        ? this with { Counts = Counts.SetItem(index, new(kind, count)) }
        : this with { Counts = Counts.Add(new(kind, count)) };

    /// <summary>The same with counts from elsewhere for kinds that have none here.</summary>
    public Scaling WithDefaults(Scaling others) =>
        others.Counts.Where(pair => IndexOf(pair.Key) < 0).Aggregate(this, (all, pair) => all.With(pair.Key, pair.Value));

    public string Write() => string.Concat(Counts.Select(pair => $"{pair.Key}:{pair.Value}\n"));

    private int IndexOf(string kind) => Counts.Select(pair => pair.Key).ToImmutableArray().IndexOf(kind);

    private static int? ReadCount(string text) =>
        int.TryParse(text.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count <= MaxCount ? count : null;
}
