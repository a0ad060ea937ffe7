using System.Security.Cryptography;
using Piku.Server.Ssh.Wire;

namespace Piku.Server.Ssh.Crypto;

/// <summary>
/// The text of a host key's file, in OpenSSH's format and without a passphrase (OpenSSH's PROTOCOL.key), so that
/// <c>ssh-keygen</c> reads ours and we read sshd's.
/// </summary>
internal static class HostKeyFile
{
    private const string Label = "OPENSSH PRIVATE KEY";
    private const int BlockSize = 8;

    /// <exception cref="FormatException">The text is not such a key; the message says what is wrong with it.</exception>
    public static HostKey Parse(string text)
    {
        if (!PemEncoding.TryFind(text, out var pem) || text[pem.Label] != Label)
            throw new FormatException("it is not a private key in OpenSSH's format");
        try
        {
            return Read(Convert.FromBase64String(text[pem.Base64Data]));
        }
        catch (Exception e) when (e is SshProtocolException or CryptographicException)
        {
            throw new FormatException("it is damaged: " + e.Message, e);
        }
    }

    /// <summary>A new key of a kind, as the text of its file.</summary>
    public static string Generate(HostKeyType type)
    {
        var key = type.Generate();
        using var file = new SshWriter();
        file.WriteBytes(Magic);
        file.WriteText("none");
        file.WriteText("none");
        file.WriteString([]);
        file.WriteUInt32(1);
        var reader = new SshReader(key);
        reader.ReadName();
        file.WriteString(type.Read(ref reader).PublicKey);
        file.WriteString(PrivatePart(key));
        return PemEncoding.WriteString(Label, file.Written) + "\n";
    }

    private static ReadOnlySpan<byte> Magic => "openssh-key-v1\0"u8;

    // byte[] magic, string cipher, string kdf, string kdfoptions, uint32 keys, string public, string private
    private static HostKey Read(byte[] data)
    {
        var reader = new SshReader(data);
        if (!reader.ReadBytes(Magic.Length).SequenceEqual(Magic))
            throw new SshProtocolException("it does not begin as it should");
        if (reader.ReadName() != "none")
            throw new FormatException("it has a passphrase, which a server cannot type");
        reader.ReadName();
        reader.ReadString();
        if (reader.ReadUInt32() != 1)
            throw new FormatException("it holds several keys");
        reader.ReadString();

        // uint32 check twice, the key, string comment, padding
        var key = new SshReader(reader.ReadString());
        if (key.ReadUInt32() != key.ReadUInt32())
            throw new SshProtocolException("its check numbers differ");
        var name = key.ReadName();
        var type = HostKeyType.All.FirstOrDefault(type => type.Name == name)
            ?? throw new FormatException($"keys of type {name} are not supported");
        return type.Read(ref key);
    }

    private static byte[] PrivatePart(byte[] key)
    {
        Span<byte> check = stackalloc byte[sizeof(uint)];
        RandomNumberGenerator.Fill(check);
        using var part = new SshWriter();
        part.WriteBytes(check);
        part.WriteBytes(check);
        part.WriteBytes(key);
        part.WriteText("");
        for (byte i = 1; part.Written.Length % BlockSize != 0; i++)
            part.WriteByte(i);
        return part.Written.ToArray();
    }
}
