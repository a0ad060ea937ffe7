namespace Piku.Server.Ssh.Crypto;

/// <summary>
/// Sorts secrets: which places are compared depends on their number alone, and a swap is arithmetic. Batcher's merge
/// exchange (Knuth, The Art of Computer Programming, volume 3, section 5.2.2, algorithm M).
/// </summary>
internal static class SortingNetwork
{
    public static void Sort(Span<uint> values)
    {
        var top = 1;
        while (top < values.Length - top)
            top *= 2;
        for (var p = top; p > 0; p /= 2)
        {
            MergeExchange(values, p, remainder: 0, distance: p);
            for (var q = top; q > p; q /= 2)
                MergeExchange(values, p, remainder: p, distance: q - p);
        }
    }

    private static void MergeExchange(Span<uint> values, int p, int remainder, int distance)
    {
        for (var i = 0; i < values.Length - distance; i++)
        {
            if ((i & p) == remainder)
                Order(ref values[i], ref values[i + distance]);
        }
    }

    private static void Order(ref uint low, ref uint high)
    {
        var swap = (low ^ high) & (uint)(((long)high - low) >> 63);
        low ^= swap;
        high ^= swap;
    }
}
