using System.Security.Cryptography;
using System.Text;
using Piku.Server.Ssh.Crypto;

namespace Piku.Tests.Ssh;

public sealed class Sntrup761Tests
{
    /// <summary>
    /// SHA-256 of the first of NIST's known answers ("count = 0", seed, pk, sk, ct, ss), as PQClean publishes it for
    /// sntrup761.
    /// </summary>
    private const string KnownAnswers = "2eba10673b9077530ba9c063d22f2534e415a6da42985c333c6baee133cc0ff1";

    [Fact]
    public void Gives_the_known_answers()
    {
        var seed = new byte[48];
        new NistRandom([.. Enumerable.Range(0, 48).Select(i => (byte)i)]).Fill(seed);
        var random = new NistRandom(seed);

        var owner = new Sntrup761Owner(random.Fill);
        var (ciphertext, secret) = Sntrup761.Encapsulate(owner.PublicKey, Sntrup761Owner.Coins(random.Fill));

        var answers = new StringBuilder("count = 0\n");
        foreach (var (name, value) in new[] { ("seed", seed), ("pk", owner.PublicKey), ("sk", owner.PrivateKey), ("ct", ciphertext), ("ss", secret) })
            answers.Append(name).Append(" = ").Append(Convert.ToHexString(value)).Append('\n');
        Assert.Equal(secret, owner.Decapsulate(ciphertext));
        Assert.Equal(KnownAnswers, Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(answers.ToString()))));
    }

    [Fact]
    public void Carries_a_new_secret_to_the_owner_of_the_key_each_time()
    {
        var owner = new Sntrup761Owner(Fresh);
        var secrets = new HashSet<string>();
        for (var i = 0; i < 20; i++)
        {
            var (ciphertext, secret) = Sntrup761.Encapsulate(owner.PublicKey);
            Assert.Equal(secret, owner.Decapsulate(ciphertext));
            Assert.True(secrets.Add(Convert.ToHexString(secret)));
        }
    }

    [Fact]
    public void Gives_another_secret_for_a_changed_ciphertext()
    {
        var owner = new Sntrup761Owner(Fresh);
        var (ciphertext, secret) = Sntrup761.Encapsulate(owner.PublicKey);
        foreach (var place in new[] { 0, 500, 1006, 1007, 1038 })
        {
            ciphertext[place] ^= 1;
            Assert.NotEqual(secret, owner.Decapsulate(ciphertext));
            ciphertext[place] ^= 1;
        }
    }

    [Fact]
    public void Takes_any_bytes_for_a_key()
    {
        foreach (var filling in new byte[] { 0, 1, 0x7f, 0xff })
        {
            var key = new byte[Sntrup761.PublicKeyLength];
            key.AsSpan().Fill(filling);
            Assert.Equal(Sntrup761.CiphertextLength, Sntrup761.Encapsulate(key).Ciphertext.Length);
        }
    }

    [Fact]
    public void Makes_short_polynomials_of_the_one_weight()
    {
        var polynomial = new sbyte[Sntrup761Ring.Degree];
        Sntrup761.Short(Sntrup761Owner.Coins(Fresh), polynomial);
        Assert.Equal(Sntrup761.Weight, polynomial.Count(c => c is 1 or -1));
        Assert.Equal(Sntrup761Ring.Degree - Sntrup761.Weight, polynomial.Count(c => c == 0));
    }

    [Fact]
    public void Reduces_every_number_to_its_representative()
    {
        foreach (var near in Enumerable.Range(-200, 400).Select(i => (long)i * 4591 * 2300).Append(int.MinValue + 5000).Append(int.MaxValue - 5000))
        {
            for (var number = (int)near - 4591; number < near + 4591; number++)
            {
                var reduced = Sntrup761Ring.Reduce(number);
                Assert.True(reduced is >= -Sntrup761Ring.Half and <= Sntrup761Ring.Half && ((long)number - reduced) % 4591 == 0);
            }
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(64)]
    [InlineData(761)]
    public void A_sorting_network_sorts(int length)
    {
        var random = new Random(length);
        for (var round = 0; round < 50; round++)
        {
            var values = Enumerable.Range(0, length).Select(_ => (uint)random.NextInt64(round < 25 ? 5 : 1L << 32)).ToArray();
            uint[] expected = [.. values.Order()];
            SortingNetwork.Sort(values);
            Assert.Equal(expected, values);
        }
    }

    private static void Fresh(byte[] bytes) => RandomNumberGenerator.Fill(bytes);

    /// <summary>The generator of NIST's known answers: AES-256 CTR_DRBG (NIST SP 800-90A) without derivation function.</summary>
    private sealed class NistRandom
    {
        private byte[] _key = new byte[32];
        private byte[] _counter = new byte[16];

        public NistRandom(byte[] seed) => Update(seed);

        public void Fill(byte[] bytes)
        {
            Blocks((bytes.Length + 15) / 16)[..bytes.Length].CopyTo(bytes, 0);
            Update(new byte[48]);
        }

        private void Update(byte[] data)
        {
            var blocks = Blocks(3);
            for (var i = 0; i < blocks.Length; i++)
                blocks[i] ^= data[i];
            (_key, _counter) = (blocks[..32], blocks[32..]);
        }

        private byte[] Blocks(int count)
        {
            using var aes = Aes.Create();
            aes.Key = _key;
            var blocks = new byte[16 * count];
            for (var i = 0; i < count; i++)
            {
                for (var place = 15; ++_counter[place] == 0; place--)
                    continue;
                aes.EncryptEcb(_counter, PaddingMode.None).CopyTo(blocks, 16 * i);
            }
            return blocks;
        }
    }
}
