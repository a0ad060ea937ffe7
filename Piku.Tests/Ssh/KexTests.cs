using System.Security.Cryptography;
using Piku.Server.Ssh.Crypto;
using Piku.Server.Ssh.Wire;

namespace Piku.Tests.Ssh;

/// <summary>The server's part of a key exchange, against the client's.</summary>
public sealed class KexTests
{
    public static TheoryData<string> Names() => [.. AlgorithmSuite.Compatible.Kex.Select(kex => kex.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_share_that_is_none_is_refused(string name)
    {
        var kex = AlgorithmSuite.Compatible.Kex.Single(kex => kex.Name == name);
        foreach (var length in new[] { 0, 1, 32, 33, 64, 65, 97, 133, 1158, 1189, 1190, 1191, 1216 })
            Assert.ThrowsAny<CryptographicException>(() => kex.Answer(new byte[length]));
        Assert.ThrowsAny<CryptographicException>(() => kex.Answer([4, .. new byte[64]])); // not on the curve
    }

    [Fact]
    public void A_hybrid_secret_is_the_hash_of_both_as_a_string()
    {
        using var client = X25519.Generate();
        byte[] publicKey = [1, 2, 3], carried = [9, 9, 9, 9];
        var kex = HybridKex.Algorithm("test", HashAlgorithmName.SHA256, publicKey.Length, key => ([.. key, 7], [.. carried]));

        var answer = kex.Answer([.. publicKey, .. client.PublicKey]);

        Assert.Equal([1, 2, 3, 7], answer.ServerShare[..4]);
        using var expected = new SshWriter();
        expected.WriteString(SHA256.HashData([.. carried, .. client.Agree(answer.ServerShare.AsSpan(4))]));
        Assert.Equal(expected.Written.ToArray(), answer.Secret);
    }

    [Fact]
    public void Sntrup761_beside_X25519_gives_both_sides_one_secret()
    {
        var owner = new Sntrup761Owner(bytes => RandomNumberGenerator.Fill(bytes));
        AssertAgreement(
            "sntrup761x25519-sha512", owner.PublicKey, Sntrup761.CiphertextLength, ciphertext => owner.Decapsulate(ciphertext), SHA512.HashData);
    }

    [Fact]
    public void ML_KEM_beside_X25519_gives_both_sides_one_secret()
    {
        Assert.SkipUnless(MLKem768.IsSupported, "OpenSSL is older than 3.5");
        using var owner = MLKem.GenerateKey(MLKemAlgorithm.MLKem768);
        AssertAgreement("mlkem768x25519-sha256", owner.ExportEncapsulationKey(), 1088, owner.Decapsulate, SHA256.HashData);
    }

    [Fact]
    public void ML_KEM_is_offered_first_where_the_platform_has_it_and_nowhere_else() =>
        Assert.Equal(MLKem.IsSupported, AlgorithmSuite.Default.Kex[0].Name == "mlkem768x25519-sha256");

    [Theory]
    [InlineData("nistP256")]
    [InlineData("nistP384")]
    [InlineData("nistP521")]
    public void A_NIST_curve_gives_both_sides_one_secret(string curve)
    {
        using var client = ECDiffieHellman.Create(ECCurve.CreateFromFriendlyName(curve));
        var parameters = client.ExportParameters(includePrivateParameters: false);
        var kex = KexAlgorithm.Older.Single(kex => kex.Name.EndsWith(curve[^3..], StringComparison.Ordinal));

        var answer = kex.Answer(EcdsaKey.Bytes(parameters.Q));

        using var server = ECDiffieHellman.Create(new ECParameters
        {
            Curve = parameters.Curve,
            Q = EcdsaKey.Point(answer.ServerShare, parameters.Q.X!.Length),
        });
        using var expected = new SshWriter();
        expected.WriteMpint(client.DeriveRawSecretAgreement(server.PublicKey));
        Assert.Equal(expected.Written.ToArray(), answer.Secret);
    }

    private static void AssertAgreement(
        string name, byte[] publicKey, int ciphertextLength, Func<byte[], byte[]> decapsulate, Func<byte[], byte[]> hash)
    {
        using var client = X25519.Generate();
        var answer = AlgorithmSuite.Default.Kex.Single(kex => kex.Name == name).Answer([.. publicKey, .. client.PublicKey]);

        byte[] both = [.. decapsulate(answer.ServerShare[..ciphertextLength]), .. client.Agree(answer.ServerShare.AsSpan(ciphertextLength))];
        using var expected = new SshWriter();
        expected.WriteString(hash(both));
        Assert.Equal(expected.Written.ToArray(), answer.Secret);
    }
}
