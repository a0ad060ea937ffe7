using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Piku.Server.Ssh.Crypto;

/// <summary>
/// Streamlined NTRU Prime with p = 761, q = 4591 and w = 286, as its authors submitted it to NIST in round 3
/// (ntruprime.cr.yp.to; draft-josefsson-ntruprime-streamlined): the half that a server needs, which makes a secret
/// for whoever has the private key. No branch and no address depends on that secret.
/// </summary>
internal static class Sntrup761
{
    /// <summary>In bytes.</summary>
    public const int PublicKeyLength = 1158, CiphertextLength = RoundedLength + HashLength, HashLength = 32;

    /// <summary>w: how many coefficients of a short polynomial are not 0.</summary>
    public const int Weight = 286;

    private const int RoundedLength = 1007, ShortLength = 191;

    // Rounded coefficients are the multiples of 3 from -(q-1)/2 to (q-1)/2.
    private const uint RoundedBound = (Sntrup761Ring.Modulus + 2) / 3;

    /// <param name="publicKey">Of the length that it must have; every such string is a key.</param>
    /// <returns>The ciphertext, and the secret of 32 bytes that it carries.</returns>
    public static (byte[] Ciphertext, byte[] Secret) Encapsulate(ReadOnlySpan<byte> publicKey)
    {
        Span<uint> coins = stackalloc uint[Sntrup761Ring.Degree];
        RandomNumberGenerator.Fill(MemoryMarshal.AsBytes(coins));
        return Encapsulate(publicKey, coins);
    }

    /// <summary>The same from given random numbers, one for each coefficient; they are overwritten.</summary>
    public static (byte[] Ciphertext, byte[] Secret) Encapsulate(ReadOnlySpan<byte> publicKey, Span<uint> coins)
    {
        Span<sbyte> message = stackalloc sbyte[Sntrup761Ring.Degree];
        Short(coins, message);
        var (ciphertext, packed) = Hide(message, publicKey);
        var secret = Hash(1, Hash(3, packed), ciphertext);
        message.Clear();
        coins.Clear();
        CryptographicOperations.ZeroMemory(packed);
        return (ciphertext, secret);
    }

    /// <summary>A polynomial's ciphertext, and the polynomial packed for the hashes.</summary>
    public static (byte[] Ciphertext, byte[] Packed) Hide(ReadOnlySpan<sbyte> message, ReadOnlySpan<byte> publicKey)
    {
        Span<int> key = stackalloc int[Sntrup761Ring.Degree];
        Span<int> product = stackalloc int[Sntrup761Ring.Degree];
        Sntrup761Encoding.Decode(publicKey, Sntrup761Ring.Modulus, key);
        foreach (ref var coefficient in key)
            coefficient -= Sntrup761Ring.Half;
        Sntrup761Ring.Multiply(key, message, product);

        var packed = Pack(message);
        var ciphertext = new byte[CiphertextLength];
        Sntrup761Encoding.Encode(Rounded(product), RoundedBound, ciphertext.AsSpan(0, RoundedLength));
        Hash(2, Hash(3, packed), Hash(4, publicKey)).CopyTo(ciphertext.AsSpan(RoundedLength));
        return (ciphertext, packed);
    }

    /// <summary>Four coefficients a byte, each plus 1 in two bits.</summary>
    public static byte[] Pack(ReadOnlySpan<sbyte> polynomial)
    {
        var packed = new byte[ShortLength];
        for (var i = 0; i < polynomial.Length; i++)
            packed[i / 4] |= (byte)((polynomial[i] + 1) << (2 * (i % 4)));
        return packed;
    }

    /// <summary>A random polynomial with exactly w coefficients of 1 or -1: sorting shuffles them.</summary>
    public static void Short(Span<uint> coins, Span<sbyte> polynomial)
    {
        const uint sign = 2;
        for (var i = 0; i < coins.Length; i++)
            coins[i] = i < Weight ? coins[i] & ~1u : (coins[i] & ~(sign | 1)) | 1;
        SortingNetwork.Sort(coins);
        for (var i = 0; i < coins.Length; i++)
            polynomial[i] = (sbyte)((coins[i] & 3) - 1);
    }

    /// <summary>The first half of SHA-512, with a number before the data that says what it is for.</summary>
    public static byte[] Hash(byte purpose, ReadOnlySpan<byte> data, ReadOnlySpan<byte> more = default)
    {
        Span<byte> input = stackalloc byte[1 + data.Length + more.Length];
        input[0] = purpose;
        data.CopyTo(input[1..]);
        more.CopyTo(input[(1 + data.Length)..]);
        var hash = SHA512.HashData(input)[..HashLength];
        CryptographicOperations.ZeroMemory(input);
        return hash;
    }

    // Each coefficient to the nearest multiple of 3, as that multiple's number.
    private static Span<uint> Rounded(Span<int> polynomial)
    {
        var numbers = MemoryMarshal.Cast<int, uint>(polynomial);
        foreach (ref var number in numbers)
            number = ((number + Sntrup761Ring.Half + 1) * 10923) >> 15; // a third
        return numbers;
    }
}
