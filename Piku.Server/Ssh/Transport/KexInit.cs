using System.Security.Cryptography;
using Piku.Server.Ssh.Wire;

namespace Piku.Server.Ssh.Transport;

/// <summary>SSH_MSG_KEXINIT (RFC 4253, section 7.1): what one side can do, in the order in which it likes it.</summary>
internal sealed record KexInit(
    IReadOnlyList<string> Kex,
    IReadOnlyList<string> HostKeys,
    IReadOnlyList<string> CiphersToServer,
    IReadOnlyList<string> CiphersToClient,
    IReadOnlyList<string> MacsToServer,
    IReadOnlyList<string> MacsToClient,
    IReadOnlyList<string> CompressionToServer,
    IReadOnlyList<string> CompressionToClient,
    bool FirstKexPacketFollows)
{
    private const int CookieLength = 16;

    public static KexInit Read(ReadOnlySpan<byte> message)
    {
        var reader = new SshReader(message);
        reader.ReadMessageNumber();
        reader.ReadBytes(CookieLength);
        var kex = reader.ReadNameList();
        var hostKeys = reader.ReadNameList();
        var ciphersToServer = reader.ReadNameList();
        var ciphersToClient = reader.ReadNameList();
        var macsToServer = reader.ReadNameList();
        var macsToClient = reader.ReadNameList();
        var compressionToServer = reader.ReadNameList();
        var compressionToClient = reader.ReadNameList();
        reader.ReadNameList(); // languages, client to server
        reader.ReadNameList(); // languages, server to client
        var follows = reader.ReadBoolean();
        reader.ReadUInt32(); // reserved
        reader.End();
        return new(kex, hostKeys, ciphersToServer, ciphersToClient, macsToServer, macsToClient,
            compressionToServer, compressionToClient, follows);
    }

    /// <summary>The message, with a new cookie.</summary>
    public byte[] Write()
    {
        Span<byte> cookie = stackalloc byte[CookieLength];
        RandomNumberGenerator.Fill(cookie);
        using var writer = new SshWriter(MessageNumber.KexInit);
        writer.WriteBytes(cookie);
        writer.WriteNameList(Kex);
        writer.WriteNameList(HostKeys);
        writer.WriteNameList(CiphersToServer);
        writer.WriteNameList(CiphersToClient);
        writer.WriteNameList(MacsToServer);
        writer.WriteNameList(MacsToClient);
        writer.WriteNameList(CompressionToServer);
        writer.WriteNameList(CompressionToClient);
        writer.WriteNameList();
        writer.WriteNameList();
        writer.WriteBoolean(FirstKexPacketFollows);
        writer.WriteUInt32(0);
        return writer.Written.ToArray();
    }
}
