using Piku.Server.Ssh.Crypto;

namespace Piku.Tests.Ssh;

/// <summary>
/// The half of Streamlined NTRU Prime that a server does not have: makes a key pair and opens ciphertexts. By the
/// book and in variable time, for tests alone.
/// </summary>
internal sealed class Sntrup761Owner
{
    private const int P = Sntrup761Ring.Degree, Q = Sntrup761Ring.Modulus;

    private readonly sbyte[] _f = new sbyte[P];
    private readonly sbyte[] _inverse; // of g, modulo 3
    private readonly byte[] _rho = new byte[191];

    /// <param name="fill">Where the randomness comes from, asked for as the authors' code asks.</param>
    public Sntrup761Owner(Action<byte[]> fill)
    {
        int[] g;
        int[]? inverse;
        do
        {
            g = [.. Enumerable.Range(0, P).Select(_ => (int)(((ulong)(Draw(fill) & 0x3fffffff) * 3) >> 30) - 1)];
            inverse = Invert(g, 3);
        }
        while (inverse is null);
        _inverse = [.. inverse.Select(c => (sbyte)Centred(c, 3))];
        Sntrup761.Short(Coins(fill), _f);

        var h = new int[P];
        Sntrup761Ring.Multiply([.. Invert([.. _f.Select(c => 3 * c)], Q)!.Select(c => Centred(c, Q))], [.. g.Select(c => (sbyte)c)], h);
        Sntrup761Encoding.Encode([.. h.Select(c => (uint)(c + Sntrup761Ring.Half))], Q, PublicKey);
        fill(_rho);
    }

    public byte[] PublicKey { get; } = new byte[Sntrup761.PublicKeyLength];

    public byte[] PrivateKey =>
        [.. Sntrup761.Pack(_f), .. Sntrup761.Pack(_inverse), .. PublicKey, .. _rho, .. Sntrup761.Hash(4, PublicKey)];

    public static uint[] Coins(Action<byte[]> fill) =>
        [.. Enumerable.Range(0, P).Select(_ => Draw(fill))];

    /// <summary>The secret; one that nobody else has when the ciphertext is not genuine.</summary>
    public byte[] Decapsulate(ReadOnlySpan<byte> ciphertext)
    {
        var rounded = new int[P];
        Sntrup761Encoding.Decode(ciphertext[..1007], (Q + 2) / 3, rounded);
        var product = new int[P];
        Sntrup761Ring.Multiply([.. rounded.Select(c => (3 * c) - Sntrup761Ring.Half)], _f, product);
        var e = new int[P];
        Sntrup761Ring.Multiply([.. product.Select(c => Centred(Sntrup761Ring.Reduce(3 * c), 3))], _inverse, e);
        var message = e.Select(c => (sbyte)Centred(c, 3)).ToArray();
        if (message.Count(c => c != 0) != Sntrup761.Weight)
            message = [.. Enumerable.Range(0, P).Select(i => (sbyte)(i < Sntrup761.Weight ? 1 : 0))];

        var (again, packed) = Sntrup761.Hide(message, PublicKey);
        var isGenuine = ciphertext.SequenceEqual(again);
        return Sntrup761.Hash(isGenuine ? (byte)1 : (byte)0, Sntrup761.Hash(3, isGenuine ? packed : _rho), ciphertext);
    }

    private static uint Draw(Action<byte[]> fill)
    {
        var bytes = new byte[sizeof(uint)];
        fill(bytes);
        return BitConverter.ToUInt32(bytes);
    }

    private static int Centred(int c, int m)
    {
        var positive = ((c % m) + m) % m;
        return positive > m / 2 ? positive - m : positive;
    }

    // Euclid's algorithm for polynomials, modulo x^p - x - 1 and the prime m; null when there is no inverse.
    private static int[]? Invert(int[] polynomial, int m)
    {
        var (a, b) = (new int[P + 1], new int[P + 1]);
        (a[0], a[1], a[P]) = (m - 1, m - 1, 1);
        for (var i = 0; i < P; i++)
            b[i] = ((polynomial[i] % m) + m) % m;
        var (u, v) = (new int[P + 1], new int[P + 1]);
        v[0] = 1;
        while (DegreeOf(b) > 0)
        {
            var scale = (int)System.Numerics.BigInteger.ModPow(b[DegreeOf(b)], m - 2, m);
            for (var shift = DegreeOf(a) - DegreeOf(b); shift >= 0; shift = DegreeOf(a) - DegreeOf(b))
            {
                var factor = a[DegreeOf(a)] * scale % m;
                Subtract(a, b, factor, shift, m);
                Subtract(u, v, factor, shift, m);
            }
            (a, b, u, v) = (b, a, v, u);
        }
        if (DegreeOf(b) < 0)
            return null;
        var last = (int)System.Numerics.BigInteger.ModPow(b[0], m - 2, m);
        return [.. v.Take(P).Select(c => c * last % m)];
    }

    private static void Subtract(int[] from, int[] what, int factor, int shift, int m)
    {
        for (var i = 0; i + shift < from.Length; i++)
            from[i + shift] = (from[i + shift] + ((m - factor) * what[i])) % m;
    }

    private static int DegreeOf(int[] polynomial) => Array.FindLastIndex(polynomial, c => c != 0);
}
