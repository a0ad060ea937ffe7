using Piku.Server.Ssh.Crypto;
using Piku.Server.Ssh.Wire;

namespace Piku.Server.Ssh.Authentication;

/// <summary>A certificate (OpenSSH's PROTOCOL.certkeys) as it was sent: well formed, and nothing more.</summary>
/// <param name="Type">Of the key that it is for.</param>
/// <param name="PublicKey">That key's blob, as it would be without the certificate.</param>
/// <param name="Serial">The certificate's number, in the authority's count.</param>
/// <param name="IsForUsers">Others are for hosts.</param>
/// <param name="KeyId">Whose key it is, in the authority's words.</param>
/// <param name="Principals">The names that it is good for.</param>
/// <param name="ValidAfter">From when on, in seconds since 1970.</param>
/// <param name="ValidBefore">Until when, exclusively.</param>
/// <param name="CriticalOptions">Restrictions by name, all of which must be understood.</param>
/// <param name="Extensions">Permissions by name.</param>
/// <param name="Authority">The blob of the key that is said to have signed it.</param>
/// <param name="Signed">What the signature is over.</param>
internal sealed record UserCertificate(
    UserKeyType Type,
    byte[] PublicKey,
    ulong Serial,
    bool IsForUsers,
    string KeyId,
    IReadOnlyList<string> Principals,
    ulong ValidAfter,
    ulong ValidBefore,
    IReadOnlyDictionary<string, byte[]> CriticalOptions,
    IReadOnlySet<string> Extensions,
    byte[] Authority,
    byte[] Signed,
    byte[] Signature)
{
    private const string Suffix = "-cert-v01@openssh.com", Vendor = "@openssh.com";
    private const uint ForUsers = 1;

    /// <summary>How the key of a certificate signs: <c>rsa-sha2-512</c> for <c>rsa-sha2-512-cert-v01@openssh.com</c>; null for other names.</summary>
    public static string? PlainAlgorithm(string name) => UserKeyType.All.SelectMany(type => type.Algorithms)
        .Select(algorithm => algorithm.Name).FirstOrDefault(plain => CertificateName(plain) == name);

    /// <exception cref="SshProtocolException">It is malformed.</exception>
    public static UserCertificate Read(ReadOnlySpan<byte> blob)
    {
        var reader = new SshReader(blob);
        var name = reader.ReadName();
        var type = UserKeyType.All.FirstOrDefault(type => CertificateName(type.Name) == name)
            ?? throw new SshProtocolException("the certificate is of an unknown type");
        reader.ReadString(); // nonce
        var publicKey = ReadKey(type, ref reader);
        var serial = reader.ReadUInt64();
        var isForUsers = reader.ReadUInt32() == ForUsers;
        var keyId = Printable(reader.ReadText());
        var principals = ReadNames(reader.ReadString());
        var validAfter = reader.ReadUInt64();
        var validBefore = reader.ReadUInt64();
        var criticalOptions = ReadOptions(reader.ReadString());
        var extensions = ReadOptions(reader.ReadString()).Keys.ToHashSet(StringComparer.Ordinal);
        reader.ReadString(); // reserved
        var authority = reader.ReadString().ToArray();
        var signed = blob[..^reader.Rest.Length].ToArray();
        var signature = reader.ReadString().ToArray();
        reader.End();
        return new(
            type, publicKey, serial, isForUsers, keyId, principals, validAfter, validBefore,
            criticalOptions, extensions, authority, signed, signature);
    }

    /// <summary>Whether the key of this type and blob has signed it.</summary>
    /// <exception cref="SshProtocolException">The signature is malformed.</exception>
    public bool IsSignedBy(UserKeyType type, ReadOnlySpan<byte> publicKey)
    {
        var name = new SshReader(Signature).ReadName();
        var algorithm = type.Algorithms.FirstOrDefault(algorithm => algorithm.Name == name);
        return algorithm is not null && UserKeyType.IsGenuine(algorithm, publicKey, Signed, Signature, Presence.None);
    }

    private static string CertificateName(string plain) =>
        (plain.EndsWith(Vendor, StringComparison.Ordinal) ? plain[..^Vendor.Length] : plain) + Suffix;

    private static byte[] ReadKey(UserKeyType type, ref SshReader reader)
    {
        var fields = reader.Rest;
        type.Check(ref reader);
        using var blob = new SshWriter();
        blob.WriteText(type.Name);
        blob.WriteBytes(fields[..^reader.Rest.Length]);
        return blob.Written.ToArray();
    }

    private static List<string> ReadNames(ReadOnlySpan<byte> packed)
    {
        var names = new List<string>();
        for (var reader = new SshReader(packed); !reader.Rest.IsEmpty;)
            names.Add(reader.ReadText());
        return names;
    }

    // string name, string data
    private static Dictionary<string, byte[]> ReadOptions(ReadOnlySpan<byte> packed)
    {
        var options = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        for (var reader = new SshReader(packed); !reader.Rest.IsEmpty;)
        {
            if (!options.TryAdd(reader.ReadName(), reader.ReadString().ToArray()))
                throw new SshProtocolException("an option of the certificate is there twice");
        }
        return options;
    }

    // It ends in logs and on terminals.
    private static string Printable(string text) => string.Concat(text.Select(c => char.IsControl(c) ? '?' : c));
}
