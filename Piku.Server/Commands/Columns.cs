namespace Piku.Server.Commands;

/// <summary>Rows of cells as lines of text, each column as wide as its widest cell.</summary>
internal static class Columns
{
    public static IEnumerable<string> Align(string[][] rows)
    {
        var widths = Enumerable.Range(0, rows[0].Length - 1).Select(column => rows.Max(row => row[column].Length)).ToList();
        return rows.Select(row => string.Concat(row[..^1].Select((cell, column) => cell.PadRight(widths[column] + 2))) + row[^1]);
    }
}
