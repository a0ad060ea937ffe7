using System.Buffers.Binary;
using System.Diagnostics;
using System.Text;
using Piku.Server.Sftp;
using Piku.Tests.Ssh;

namespace Piku.Tests.Sftp;

/// <summary>Requests in any order and their answers, through an ssh that has asked for the subsystem.</summary>
internal sealed class SftpConversation(Process ssh) : IDisposable
{
    private uint _id;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Sends a request without waiting, and returns its number.</summary>
    public async Task<uint> SendAsync(PacketType type, Action<SftpWriter> fields)
    {
        var packet = new SftpWriter();
        packet.Begin(type, ++_id);
        fields(packet);
        packet.End();
        await ssh.StandardInput.BaseStream.WriteAsync(packet.Written, Cancel);
        await ssh.StandardInput.BaseStream.FlushAsync(Cancel);
        return _id;
    }

    public async Task<SftpAnswer> ReceiveAsync()
    {
        var head = new byte[sizeof(uint)];
        await ssh.StandardOutput.BaseStream.ReadExactlyAsync(head, Cancel).AsTask().WaitAsync(Wait.Limit, Cancel);
        var packet = new byte[BinaryPrimitives.ReadInt32BigEndian(head)];
        await ssh.StandardOutput.BaseStream.ReadExactlyAsync(packet, Cancel).AsTask().WaitAsync(Wait.Limit, Cancel);
        return new(packet);
    }

    /// <summary>Offers a version and returns the server's.</summary>
    public async Task<uint> OpenAsync(uint version)
    {
        _id = version - 1; // INIT has the version where others have their number
        await SendAsync(PacketType.Init, _ => { });
        var answer = await ReceiveAsync();
        Assert.Equal(PacketType.Version, answer.Type);
        return answer.Id;
    }

    public async Task<SftpAnswer> AskAsync(PacketType type, Action<SftpWriter> fields)
    {
        var id = await SendAsync(type, fields);
        var answer = await ReceiveAsync();
        Assert.Equal(id, answer.Id);
        return answer;
    }

    public Task<SftpAnswer> AskAsync(PacketType type, params string[] texts) => AskAsync(type, fields =>
    {
        foreach (var text in texts)
            fields.WriteText(text);
    });

    /// <summary>No more requests follow; the exit status of the session.</summary>
    public async Task<int> EndAsync()
    {
        ssh.StandardInput.Close();
        await ssh.WaitForExitAsync(Cancel).WaitAsync(Wait.Limit, Cancel);
        return ssh.ExitCode;
    }

    public void Dispose()
    {
        if (!ssh.HasExited)
            ssh.Kill();
        ssh.Dispose();
    }
}

/// <summary>An answer, of whatever type.</summary>
/// <param name="Packet">Without its length.</param>
internal sealed record SftpAnswer(byte[] Packet)
{
    private const int Head = 1 + sizeof(uint);

    public PacketType Type => (PacketType)Packet[0];

    public uint Id => BinaryPrimitives.ReadUInt32BigEndian(Packet.AsSpan(1));

    /// <summary>Null when it is no status.</summary>
    public StatusCode? Status => Type == PacketType.Status ? (StatusCode)BinaryPrimitives.ReadUInt32BigEndian(Packet.AsSpan(Head)) : null;

    public uint Handle
    {
        get
        {
            Assert.Equal(PacketType.Handle, Type);
            return BinaryPrimitives.ReadUInt32BigEndian(Packet.AsSpan(Head + sizeof(uint)));
        }
    }

    /// <summary>The first name of a list of names.</summary>
    public string Name
    {
        get
        {
            Assert.Equal(PacketType.Name, Type);
            var length = BinaryPrimitives.ReadInt32BigEndian(Packet.AsSpan(Head + sizeof(uint)));
            return Encoding.UTF8.GetString(Packet, Head + (2 * sizeof(uint)), length);
        }
    }

    /// <summary>In bytes, of a file whose attributes these are.</summary>
    public ulong Size
    {
        get
        {
            Assert.Equal(PacketType.Attributes, Type);
            return BinaryPrimitives.ReadUInt64BigEndian(Packet.AsSpan(Head + sizeof(uint)));
        }
    }
}
