using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;
using Piku.Server.Ssh.Crypto;
using Piku.Server.Ssh.Transport;

namespace Piku.Tests.Ssh;

/// <summary>Known answers, and a second opinion on the cipher that has none published.</summary>
public sealed class CryptoTests
{
    [Theory] // RFC 7748, section 5.2
    [InlineData(
        "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
        "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
        "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552")]
    [InlineData(
        "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
        "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
        "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957")]
    public void X25519_agrees(string privateKey, string peer, string secret)
    {
        using var key = new X25519(Convert.FromHexString(privateKey));
        Assert.Equal(secret, Convert.ToHexStringLower(key.Agree(Convert.FromHexString(peer))));
    }

    [Theory]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("0100000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]
    [InlineData("00")]
    [InlineData("")]
    public void X25519_refuses_points_of_low_order_and_no_points(string peer)
    {
        using var key = X25519.Generate();
        Assert.ThrowsAny<CryptographicException>(() => key.Agree(Convert.FromHexString(peer)));
    }

    [Theory] // RFC 8032, section 7.1
    [InlineData(
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b")]
    [InlineData(
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00")]
    public void Ed25519_signs_and_verifies(string privateKey, string publicKey, string message, string signature)
    {
        using var key = new Ed25519(Convert.FromHexString(privateKey));
        var data = Convert.FromHexString(message);
        Assert.Equal(publicKey, Convert.ToHexStringLower(key.PublicKey));
        Assert.Equal(signature, Convert.ToHexStringLower(key.Sign(data)));
        Assert.True(Ed25519.Verify(key.PublicKey, data, Convert.FromHexString(signature)));
    }

    [Fact]
    public void Ed25519_refuses_every_changed_bit_of_a_signature()
    {
        using var key = RawClient.NewKey();
        var signature = key.Sign("data"u8);
        for (var bit = 0; bit < signature.Length * 8; bit++)
        {
            signature[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(Ed25519.Verify(key.PublicKey, "data"u8, signature));
            signature[bit / 8] ^= (byte)(1 << (bit % 8));
        }
        Assert.False(Ed25519.Verify(key.PublicKey, "date"u8, signature));
        Assert.False(Ed25519.Verify(key.PublicKey, "data"u8, signature.AsSpan(0, 63)));
        Assert.False(Ed25519.Verify(new byte[32], "data"u8, signature));
    }

    [Theory]
    [InlineData(0u, 16)]
    [InlineData(1u, 64)]
    [InlineData(7u, 33_000)]
    [InlineData(uint.MaxValue, 264)]
    public void ChaCha20_Poly1305_is_what_its_specification_says(uint sequence, int length)
    {
        var key = RandomNumberGenerator.GetBytes(ChaCha20Poly1305Cipher.KeyLength);
        var packet = RandomNumberGenerator.GetBytes(sizeof(uint) + length + 16);
        var expected = ChaCha20Poly1305ByTheBook(key, sequence, packet);
        using var cipher = new ChaCha20Poly1305Cipher(key);

        var sealedPacket = packet.ToArray();
        cipher.Seal(sequence, sealedPacket);

        Assert.Equal(expected, sealedPacket);
        Assert.Equal(BinaryPrimitives.ReadUInt32BigEndian(packet), cipher.OpenLength(sequence, sealedPacket.AsSpan(0, sizeof(uint))));
        Assert.True(cipher.Open(sequence, sealedPacket));
        Assert.Equal(packet[sizeof(uint)..^16], sealedPacket[sizeof(uint)..^16]);
    }

    public static TheoryData<string, string?> Protections() => [.. CipherAlgorithm.All.SelectMany(cipher =>
        cipher.NeedsMac ? MacAlgorithm.All.Select(mac => (cipher.Name, (string?)mac.Name)) : [(cipher.Name, null)])];

    [Theory]
    [MemberData(nameof(Protections))]
    public void A_cipher_opens_its_own_packets_in_order_and_nothing_else(string cipherName, string? macName)
    {
        var cipher = CipherAlgorithm.All.Single(cipher => cipher.Name == cipherName);
        var mac = MacAlgorithm.All.SingleOrDefault(mac => mac.Name == macName);
        var keys = new KeyDerivation(HashAlgorithmName.SHA256, [1], [2], [3]);
        using var sealing = keys.ToServer(new(cipher, mac));
        using var opening = keys.ToServer(new(cipher, mac));
        for (var sequence = 0u; sequence < 3; sequence++)
        {
            var packet = new byte[sizeof(uint) + 32 + sealing.TagLength];
            packet[3] = 32;
            sealing.Seal(sequence, packet);
            foreach (var position in new[] { sizeof(uint), 20, packet.Length - 1 })
            {
                var changed = packet.ToArray();
                changed[position] ^= 1;
                Assert.False(opening.Open(sequence, changed));
            }
            Assert.Equal(32u, opening.OpenLength(sequence, packet.AsSpan(0, sizeof(uint))));
            Assert.True(opening.Open(sequence, packet));
            Assert.All(packet[sizeof(uint)..^sealing.TagLength], value => Assert.Equal(0, value));
        }
    }

    [Fact]
    public void AES_GCM_counts_packets_in_its_nonce()
    {
        var key = RandomNumberGenerator.GetBytes(16);
        var nonce = Convert.FromHexString("01020304fffffffffffffffe");
        using var cipher = new AesGcmCipher(key, nonce);
        using var aes = new AesGcm(key, 16);
        foreach (var counter in new[] { "fffffffffffffffe", "ffffffffffffffff", "0000000000000000" })
        {
            var packet = new byte[sizeof(uint) + 16 + 16];
            cipher.Seal(0, packet);

            var (body, tag) = (new byte[16], new byte[16]);
            aes.Encrypt(Convert.FromHexString("01020304" + counter), new byte[16], body, tag, new byte[sizeof(uint)]);
            Assert.Equal([.. new byte[sizeof(uint)], .. body, .. tag], packet);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(100)]
    [InlineData(32768)]
    public void Padding_aligns_a_packet_and_is_at_least_four(int payload)
    {
        foreach (var (cipher, counted) in new (PacketCipher, int)[] { (PlainCipher.Instance, 4), (new AesGcmCipher(new byte[16], new byte[12]), 0) })
        {
            var padding = cipher.PaddingFor(payload);
            Assert.InRange(padding, 4, 255);
            Assert.Equal(0, (counted + 1 + payload + padding) % cipher.BlockSize);
        }
    }

    // OpenSSH's PROTOCOL.chacha20poly1305, written down a second time: D. J. Bernstein's variants, with big integers.
    private static byte[] ChaCha20Poly1305ByTheBook(byte[] key, uint sequence, byte[] packet)
    {
        var result = packet.ToArray();
        Xor(key[32..], sequence, 0, result.AsSpan(0, 4));
        Xor(key[..32], sequence, 1, result.AsSpan(4, packet.Length - 20));
        var polyKey = new byte[32];
        Xor(key[..32], sequence, 0, polyKey);
        Poly1305(polyKey, result.AsSpan(0, packet.Length - 16)).CopyTo(result, packet.Length - 16);
        return result;
    }

    private static void Xor(byte[] key, ulong nonce, ulong counter, Span<byte> data)
    {
        for (var offset = 0; offset < data.Length; offset += 64, counter++)
        {
            var block = Block(key, nonce, counter);
            for (var i = 0; i < 64 && offset + i < data.Length; i++)
                data[offset + i] ^= block[i];
        }
    }

    private static byte[] Block(byte[] key, ulong nonce, ulong counter)
    {
        var start = new uint[16];
        (start[0], start[1], start[2], start[3]) = (0x61707865, 0x3320646e, 0x79622d32, 0x6b206574);
        for (var i = 0; i < 8; i++)
            start[4 + i] = BinaryPrimitives.ReadUInt32LittleEndian(key.AsSpan(4 * i));
        (start[12], start[13]) = ((uint)counter, (uint)(counter >> 32));
        nonce = BinaryPrimitives.ReverseEndianness(nonce);
        (start[14], start[15]) = ((uint)nonce, (uint)(nonce >> 32));
        var state = start.ToArray();
        for (var round = 0; round < 10; round++)
        {
            for (var i = 0; i < 4; i++)
                QuarterRound(state, i, 4 + i, 8 + i, 12 + i);
            for (var i = 0; i < 4; i++)
                QuarterRound(state, i, 4 + ((i + 1) % 4), 8 + ((i + 2) % 4), 12 + ((i + 3) % 4));
        }
        var block = new byte[64];
        for (var i = 0; i < 16; i++)
            BinaryPrimitives.WriteUInt32LittleEndian(block.AsSpan(4 * i), state[i] + start[i]);
        return block;
    }

    private static void QuarterRound(uint[] s, int a, int b, int c, int d)
    {
        s[d] = BitOperations.RotateLeft(s[d] ^ (s[a] += s[b]), 16);
        s[b] = BitOperations.RotateLeft(s[b] ^ (s[c] += s[d]), 12);
        s[d] = BitOperations.RotateLeft(s[d] ^ (s[a] += s[b]), 8);
        s[b] = BitOperations.RotateLeft(s[b] ^ (s[c] += s[d]), 7);
    }

    private static byte[] Poly1305(byte[] key, ReadOnlySpan<byte> data)
    {
        var clamp = BigInteger.Parse("0ffffffc0ffffffc0ffffffc0fffffff", System.Globalization.NumberStyles.HexNumber);
        var r = new BigInteger(key.AsSpan(0, 16), isUnsigned: true) & clamp;
        var s = new BigInteger(key.AsSpan(16), isUnsigned: true);
        var sum = BigInteger.Zero;
        for (; !data.IsEmpty; data = data[Math.Min(16, data.Length)..])
        {
            var block = data[..Math.Min(16, data.Length)];
            sum = (sum + new BigInteger([.. block, 1], isUnsigned: true)) * r % ((BigInteger.One << 130) - 5);
        }
        var bytes = ((sum + s) % (BigInteger.One << 128)).ToByteArray(isUnsigned: true);
        Array.Resize(ref bytes, 16);
        return bytes;
    }
}
