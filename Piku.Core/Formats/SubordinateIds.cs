using System.Globalization;

namespace Piku.Core.Formats;

/// <summary>The files /etc/subuid and /etc/subgid: a line each, <c>name-or-number:first:count</c> (subuid(5)).</summary>
public static class SubordinateIds
{
    /// <summary>The first range of a user that is of use; null when there is none.</summary>
    /// <param name="name">The user's name.</param>
    /// <param name="number">The user's number, by which a line may name them too.</param>
    /// <param name="fewest">Numbers that a range must have.</param>
    public static (uint First, uint Count)? Parse(string text, string name, uint number, uint fewest = 1000)
    {
        foreach (var line in text.Split('\n'))
        {
            if (line.Split(':') is [var who, var first, var count]
                && (who == name || who == number.ToString(CultureInfo.InvariantCulture))
                && uint.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var from) && from > 0
                && uint.TryParse(count.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var many) && many >= fewest
                && from <= uint.MaxValue - many)
                return (from, many);
        }
        return null;
    }

    /// <summary>What two ranges have in common; null when that is too little, or one is not there.</summary>
    public static (uint First, uint Count)? Common((uint First, uint Count)? one, (uint First, uint Count)? other, uint fewest)
    {
        if (one is not { } left || other is not { } right)
            return null;
        var first = Math.Max(left.First, right.First);
        var end = Math.Min(left.First + left.Count, right.First + right.Count);
        return end >= first + fewest ? (first, end - first) : null;
    }
}
