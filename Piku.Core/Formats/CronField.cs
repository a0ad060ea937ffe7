using System.Collections.Immutable;
using System.Globalization;
using Piku.Core.Model;

namespace Piku.Core.Formats;

/// <summary>One of the five fields of a crontab line: its name, its range, and the names of its values if it has any.</summary>
internal sealed record CronField(string Name, int Min, int Max, ImmutableArray<string> Names)
{
    public static readonly CronField Minute = new("minute", 0, 59, []);
    public static readonly CronField Hour = new("hour", 0, 23, []);
    public static readonly CronField Day = new("day", 1, 31, []);
    public static readonly CronField Month = new("month", 1, 12, ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]);
    public static readonly CronField Weekday = new("weekday", 0, 7, ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]);

    /// <summary>
    /// The values as uWSGI writes them: -1 for <c>*</c>, else every number of the lists, ranges and steps, once each. Steps
    /// count from the field's first value, as cron has it (crontab(5)): days */2 are 1, 3, 5. uWSGI's own "every N", -N, is
    /// that of the numbers which N divides, and so the same in the fields that begin with 0.
    /// </summary>
    /// <exception cref="UserError">Not a field of this kind; the message says which and what it may be.</exception>
    public ImmutableArray<int> Parse(string text)
    {
        var parts = text.Split(',');
        ImmutableArray<int> values = [.. parts.SelectMany(part => Expand(part, text)).DistinctBy(Meaning)];
        return values.Length == Width ? [-1]
            : Min == 0 && parts is [['*', '/', .. var step]] ? [-Step(step, text)]
            : values;
    }

    private IEnumerable<int> Expand(string part, string text)
    {
        var slash = part.IndexOf('/', StringComparison.Ordinal);
        var range = slash < 0 ? part : part[..slash];
        var step = slash < 0 ? 1 : Step(part[(slash + 1)..], text);
        var dash = range.IndexOf('-', StringComparison.Ordinal);
        if (slash >= 0 && dash < 0 && range != "*")
            throw Wrong(text);
        var first = range == "*" ? Min : Value(dash < 0 ? range : range[..dash], text);
        var last = range == "*" ? Min + Width - 1 : dash < 0 ? first : Value(range[(dash + 1)..], text);
        if (this == Weekday && last == 0 && first > 0)
            last = 7;
        return first > last ? throw Wrong(text) : Enumerable.Range(first, last - first + 1).Where(value => (value - first) % step == 0);
    }

    /// <summary>How many values there are; Sunday is one, under two numbers.</summary>
    private int Width => this == Weekday ? 7 : Max - Min + 1;

    private int Value(string text, string field)
    {
        var named = Names.IndexOf(text.ToLowerInvariant());
        return named >= 0 ? named + Min : Number(text, Min, field);
    }

    private int Step(string text, string field) => Number(text, 1, field);

    private int Number(string text, int min, string field) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= min && number <= Max
            ? number
            : throw Wrong(field);

    private int Meaning(int value) => this == Weekday ? value % 7 : value;

    private UserError Wrong(string text) => new(
        $"the {Name} field '{text}' is not one of *, */N, N, N-M, N-M/N or a list of these, with numbers from {Min} to {Max}"
        + (Names.IsEmpty ? "." : $" or names ({Names[0]}-{Names[^1]})."));
}
