using System.Numerics;
using System.Runtime.InteropServices;

namespace Piku.Server.Ssh.Crypto;

/// <summary>
/// Arithmetic of <see cref="Sntrup761"/>: polynomials modulo x^761 - x - 1 whose coefficients are integers modulo
/// 4591, represented by -2295 to 2295. Its time depends on nothing but the processor.
/// </summary>
internal static class Sntrup761Ring
{
    /// <summary>p: the number of coefficients.</summary>
    public const int Degree = 761;

    /// <summary>q.</summary>
    public const int Modulus = 4591;

    /// <summary>The greatest coefficient.</summary>
    public const int Half = (Modulus - 1) / 2;

    // A multiple of every vector's length.
    private const int Padded = 768;

    /// <summary>Multiplies by a polynomial whose coefficients are -1, 0 and 1.</summary>
    /// <remarks>By the book, but a vector at a time: no sum of 761 products leaves 32 bits.</remarks>
    public static void Multiply(ReadOnlySpan<int> polynomial, ReadOnlySpan<sbyte> small, Span<int> product)
    {
        Span<int> row = stackalloc int[Padded];
        Span<int> sums = stackalloc int[2 * Padded];
        row.Clear();
        sums.Clear();
        polynomial.CopyTo(row);
        var factors = MemoryMarshal.Cast<int, Vector<int>>(row);
        for (var i = 0; i < small.Length; i++)
        {
            var factor = new Vector<int>(small[i]);
            var shifted = MemoryMarshal.Cast<int, Vector<int>>(sums.Slice(i, Padded));
            for (var j = 0; j < factors.Length && j < shifted.Length; j++)
                shifted[j] += factor * factors[j];
        }
        Fold(sums);
        for (var i = 0; i < Degree; i++)
            product[i] = Reduce(sums[i]);
        sums.Clear();
    }

    /// <summary>The representative of a number below 2^32 in magnitude.</summary>
    public static int Reduce(int number)
    {
        const int scale = 44;
        const long reciprocal = ((1L << scale) + (Modulus / 2)) / Modulus;
        return number - (Modulus * (int)(((number * reciprocal) + (1L << (scale - 1))) >> scale));
    }

    // x^761 = x + 1
    private static void Fold(Span<int> sums)
    {
        for (var i = (2 * Degree) - 2; i >= Degree; i--)
        {
            sums[i - Degree] += sums[i];
            sums[i - Degree + 1] += sums[i];
        }
    }
}
