using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Piku.Server.Ssh.Crypto;

/// <summary>Authenticates the packets of one direction (RFC 4253, section 6.4): over <c>uint32 sequence ‖ packet</c>.</summary>
internal sealed class Mac(MacAlgorithm algorithm, ReadOnlySpan<byte> key) : IDisposable
{
    private readonly IncrementalHash _hmac = IncrementalHash.CreateHMAC(algorithm.Hash, key);

    /// <summary>In bytes.</summary>
    public int Length => algorithm.Length;

    public void Compute(uint sequence, ReadOnlySpan<byte> packet, Span<byte> mac)
    {
        Span<byte> number = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32BigEndian(number, sequence);
        _hmac.AppendData(number);
        _hmac.AppendData(packet);
        _hmac.GetHashAndReset(mac);
    }

    public bool Verify(uint sequence, ReadOnlySpan<byte> packet, ReadOnlySpan<byte> mac)
    {
        Span<byte> expected = stackalloc byte[Length];
        Compute(sequence, packet, expected);
        return CryptographicOperations.FixedTimeEquals(expected, mac);
    }

    public void Dispose() => _hmac.Dispose();
}
