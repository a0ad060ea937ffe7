namespace Piku.Server.Ssh.Crypto;

/// <summary>
/// How <see cref="Sntrup761"/> writes numbers below a common bound: pairs become digits of a mixed radix, of which
/// low bytes are put out until what is left is small, and then pairs of those, and so on. Which bytes are put out
/// depends on the bound alone.
/// </summary>
internal static class Sntrup761Encoding
{
    /// <summary>What is carried to the next round stays below it, so that the product of two fits 32 bits.</summary>
    private const uint Limit = 16384;

    /// <param name="numbers">Each below the bound; they are overwritten.</param>
    public static void Encode(Span<uint> numbers, uint bound, Span<byte> output)
    {
        Span<uint> bounds = stackalloc uint[numbers.Length];
        bounds.Fill(bound);
        for (var count = numbers.Length; count > 1; count = (count + 1) / 2)
        {
            for (var i = 0; i < count / 2; i++)
            {
                numbers[i] = numbers[2 * i] + (numbers[(2 * i) + 1] * bounds[2 * i]);
                bounds[i] = bounds[2 * i] * bounds[(2 * i) + 1];
                Put(ref numbers[i], ref bounds[i], Limit, ref output);
            }
            if (count % 2 == 1)
                (numbers[count / 2], bounds[count / 2]) = (numbers[count - 1], bounds[count - 1]);
        }
        Put(ref numbers[0], ref bounds[0], limit: 2, ref output);
    }

    /// <summary>The reverse; whatever the input, the numbers are below the bound. Not for secrets.</summary>
    public static void Decode(ReadOnlySpan<byte> input, uint bound, Span<int> numbers)
    {
        var bounds = new uint[numbers.Length];
        bounds.AsSpan().Fill(bound);
        var decoded = Decode(ref input, bounds);
        for (var i = 0; i < numbers.Length; i++)
            numbers[i] = (int)decoded[i];
    }

    private static uint[] Decode(ref ReadOnlySpan<byte> input, uint[] bounds)
    {
        if (bounds.Length == 1)
        {
            var rest = bounds[0];
            return [Take(ref rest, limit: 2, ref input).Low % bounds[0]];
        }

        var lows = new (uint Low, uint Scale)[bounds.Length / 2];
        var carried = new uint[(bounds.Length + 1) / 2];
        for (var i = 0; i < lows.Length; i++)
        {
            carried[i] = bounds[2 * i] * bounds[(2 * i) + 1];
            lows[i] = Take(ref carried[i], Limit, ref input);
        }
        if (bounds.Length % 2 == 1)
            carried[^1] = bounds[^1];

        var highs = Decode(ref input, carried);
        var numbers = new uint[bounds.Length];
        for (var i = 0; i < lows.Length; i++)
        {
            var pair = lows[i].Low + (lows[i].Scale * highs[i]);
            numbers[2 * i] = pair % bounds[2 * i];
            numbers[(2 * i) + 1] = pair / bounds[2 * i] % bounds[(2 * i) + 1];
        }
        if (bounds.Length % 2 == 1)
            numbers[^1] = highs[^1];
        return numbers;
    }

    private static void Put(ref uint number, ref uint bound, uint limit, ref Span<byte> output)
    {
        for (; bound >= limit; bound = (bound + 255) >> 8, number >>= 8)
        {
            output[0] = (byte)number;
            output = output[1..];
        }
    }

    private static (uint Low, uint Scale) Take(ref uint bound, uint limit, ref ReadOnlySpan<byte> input)
    {
        var (low, scale) = (0u, 1u);
        for (; bound >= limit; bound = (bound + 255) >> 8, scale <<= 8)
        {
            low += scale * input[0];
            input = input[1..];
        }
        return (low, scale);
    }
}
