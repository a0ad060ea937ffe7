namespace Piku.Tests;

/// <summary>What a fuzzer makes of good input: bytes changed, bits flipped, pieces cut off or joined.</summary>
internal static class Mutation
{
    public static byte[] Of(byte[] seed, Random random, int fewest, int most)
    {
        var data = seed.ToArray();
        for (var changes = random.Next(fewest, most + 1); changes > 0 && data.Length > 0; changes--)
        {
            var position = random.Next(data.Length);
            switch (random.Next(4))
            {
                case 0:
                    data[position] = (byte)random.Next(256);
                    break;
                case 1:
                    data = data[..position];
                    break;
                case 2:
                    data = [.. data[..position], .. data[random.Next(data.Length)..]];
                    break;
                default:
                    data[position] ^= (byte)(1 << random.Next(8));
                    break;
            }
        }
        return data;
    }
}
