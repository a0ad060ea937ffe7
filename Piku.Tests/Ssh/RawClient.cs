using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Piku.Server.Ssh.Crypto;
using Piku.Server.Ssh.Transport;
using Piku.Server.Ssh.Wire;

namespace Piku.Tests.Ssh;

/// <summary>A client that does only what a test tells it, right or wrong. It shares the server's codec and ciphers.</summary>
internal sealed class RawClient : IAsyncDisposable
{
    public const string Version = "SSH-2.0-raw";

    private readonly Socket _socket;
    private readonly NetworkStream _stream;
    private PacketCipher _sealing = PlainCipher.Instance;
    private PacketCipher _opening = PlainCipher.Instance;

    private RawClient(Socket socket)
    {
        _socket = socket;
        _stream = new NetworkStream(socket, ownsSocket: true);
    }

    public uint SendSequence { get; set; }

    public uint ReceiveSequence { get; private set; }

    public byte[] SessionId { get; private set; } = [];

    /// <summary>What the server said about itself after the first exchange, if it did.</summary>
    public byte[]? ExtInfo { get; private set; }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Connected, and nothing said.</summary>
    /// <param name="from">The client's address; null leaves it to the system.</param>
    public static async Task<RawClient> ConnectAsync(IPEndPoint endPoint, IPAddress? from = null)
    {
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (from is not null)
            socket.Bind(new IPEndPoint(from, 0));
        await socket.ConnectAsync(endPoint, Cancel);
        return new RawClient(socket);
    }

    /// <summary>Connected, with keys, and the service for authentication requested.</summary>
    public static async Task<RawClient> OpenAsync(IPEndPoint endPoint, bool strict = true, IPAddress? from = null)
    {
        var client = await ConnectAsync(endPoint, from);
        await client.ExchangeKeysAsync(Offer(strict));
        await client.RequestServiceAsync("ssh-userauth");
        Assert.Equal(MessageNumber.ServiceAccept, Number(await client.ReceiveAsync()));
        return client;
    }

    /// <summary>Authenticated.</summary>
    public static async Task<RawClient> EnterAsync(IPEndPoint endPoint, Ed25519 key, IPAddress? from = null)
    {
        var client = await OpenAsync(endPoint, from: from);
        await client.SendAsync(SignedRequest(key, key, client.SessionId));
        Assert.Equal(MessageNumber.UserAuthSuccess, Number(await client.ReceiveAsync()));
        Assert.Equal(MessageNumber.GlobalRequest, Number(await client.ReceiveAsync())); // the host keys
        return client;
    }

    public static KexInit Offer(bool strict = true, params string[] kex)
    {
        string[] ciphers = ["chacha20-poly1305@openssh.com"];
        string[] macs = ["hmac-sha2-256"];
        string[] none = ["none"];
        return new(
            [.. kex.Length > 0 ? kex : ["curve25519-sha256"], "ext-info-c", .. strict ? ["kex-strict-c-v00@openssh.com"] : (string[])[]],
            ["ssh-ed25519"], ciphers, ciphers, macs, macs, none, none, FirstKexPacketFollows: false);
    }

    public static MessageNumber Number(byte[]? message) => message is null ? 0 : (MessageNumber)message[0];

    public static byte[] Blob(Ed25519 key)
    {
        using var blob = new SshWriter();
        blob.WriteText("ssh-ed25519");
        blob.WriteString(key.PublicKey);
        return blob.Written.ToArray();
    }

    /// <summary>A line of authorized_keys.</summary>
    public static string Line(Ed25519 key) => $"ssh-ed25519 {Convert.ToBase64String(Blob(key))} raw\n";

    public static Ed25519 NewKey() => new(RandomNumberGenerator.GetBytes(Ed25519.KeyLength));

    public Task SendTextAsync(string text) => _stream.WriteAsync(Encoding.ASCII.GetBytes(text), Cancel).AsTask();

    public Task SendBytesAsync(byte[] bytes) => _stream.WriteAsync(bytes, Cancel).AsTask();

    /// <summary>The server's version line; the first thing it sends.</summary>
    public async Task<string> ReceiveVersionAsync()
    {
        var line = new StringBuilder();
        var one = new byte[1];
        while (!line.ToString().EndsWith("\r\n", StringComparison.Ordinal))
        {
            await _stream.ReadExactlyAsync(one, Cancel);
            line.Append((char)one[0]);
        }
        return line.ToString()[..^2];
    }

    public Task SendAsync(MessageNumber number, Action<MessageBuilder>? fields = null)
    {
        var builder = new MessageBuilder(number);
        fields?.Invoke(builder);
        return SendAsync(builder.ToArray());
    }

    public async Task SendAsync(byte[] payload) => await _stream.WriteAsync(Seal(payload), Cancel);

    /// <summary>A whole packet, as it goes over the wire.</summary>
    public byte[] Seal(byte[] payload)
    {
        var padding = _sealing.PaddingFor(payload.Length);
        var packet = new byte[sizeof(uint) + 1 + payload.Length + padding + _sealing.TagLength];
        BinaryPrimitives.WriteInt32BigEndian(packet, 1 + payload.Length + padding);
        packet[sizeof(uint)] = (byte)padding;
        payload.CopyTo(packet, sizeof(uint) + 1);
        _sealing.Seal(SendSequence++, packet);
        return packet;
    }

    /// <summary>The payload of the next packet; null when the server has closed the connection.</summary>
    /// <param name="patience">null is the limit of all tests.</param>
    public async Task<byte[]?> ReceiveAsync(TimeSpan? patience = null)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        limit.CancelAfter(patience ?? Wait.Limit);
        try
        {
            var head = new byte[sizeof(uint)];
            await _stream.ReadExactlyAsync(head, limit.Token);
            var length = (int)_opening.OpenLength(ReceiveSequence, head);
            var packet = new byte[sizeof(uint) + length + _opening.TagLength];
            head.CopyTo(packet, 0);
            await _stream.ReadExactlyAsync(packet.AsMemory(sizeof(uint)), limit.Token);
            Assert.True(_opening.Open(ReceiveSequence++, packet));
            return packet[(sizeof(uint) + 1)..(sizeof(uint) + length - packet[sizeof(uint)])];
        }
        catch (EndOfStreamException)
        {
            return null;
        }
        catch (IOException e) when (e.InnerException is SocketException)
        {
            return null;
        }
    }

    /// <summary>The next message, which must be of this kind. What the server asks meanwhile (keepalive) is answered.</summary>
    public async Task<byte[]> ReceiveAsync(MessageNumber expected)
    {
        var message = await ReceiveAsync();
        for (; expected != MessageNumber.GlobalRequest && Number(message) == MessageNumber.GlobalRequest; message = await ReceiveAsync())
            await SendAsync(MessageNumber.RequestFailure);
        Assert.Equal(expected, Number(message));
        return message!;
    }

    /// <summary>Asks something that every server answers: whatever was sent before has been read when it has.</summary>
    public async Task CatchUpAsync()
    {
        await SendAsync(MessageNumber.GlobalRequest, fields => fields.Text("keepalive@openssh.com").Boolean(true));
        await ReceiveAsync(MessageNumber.RequestFailure);
    }

    /// <summary>The server's reason for ending the connection, which must be the next but for data, and the end.</summary>
    public async Task<DisconnectReason> ReceiveDisconnectAsync()
    {
        var message = await ReceiveAsync();
        while (Number(message) is MessageNumber.ExtInfo or MessageNumber.ChannelData or MessageNumber.ChannelSuccess)
            message = await ReceiveAsync();
        Assert.Equal(MessageNumber.Disconnect, Number(message));
        Assert.Null(await ReceiveAsync());
        return (DisconnectReason)message![4];
    }

    public Task RequestServiceAsync(string name) => SendAsync(MessageNumber.ServiceRequest, fields => fields.Text(name));

    /// <summary>An authentication request for a key, signed by a key, over a session id.</summary>
    public static byte[] SignedRequest(Ed25519 key, Ed25519 signer, byte[] sessionId, string user = "alice") =>
        SignedRequest("ssh-ed25519", Blob(key), sessionId, user, signed =>
        {
            using var signature = new SshWriter();
            signature.WriteText("ssh-ed25519");
            signature.WriteString(signer.Sign(signed));
            return signature.Written.ToArray();
        });

    /// <inheritdoc cref="SignedRequest(Ed25519, Ed25519, byte[], string)"/>
    /// <param name="sign">From what is to be signed to the signature's blob.</param>
    public static byte[] SignedRequest(string algorithm, byte[] blob, byte[] sessionId, string user, Func<byte[], byte[]> sign)
    {
        var request = new MessageBuilder(MessageNumber.UserAuthRequest)
            .Text(user).Text("ssh-connection").Text("publickey").Boolean(true).Text(algorithm).String(blob);
        using var signed = new SshWriter();
        signed.WriteString(sessionId);
        signed.WriteBytes(request.ToArray());
        return request.String(sign(signed.Written.ToArray())).ToArray();
    }

    /// <summary>Opens a session; the result is the server's number for it. Ours is given.</summary>
    public async Task<uint> OpenSessionAsync(uint number = 0, uint window = 1 << 20, uint maxPacket = 32768)
    {
        await SendAsync(MessageNumber.ChannelOpen, fields => fields.Text("session").UInt32(number).UInt32(window).UInt32(maxPacket));
        var confirmation = await ReceiveAsync(MessageNumber.ChannelOpenConfirmation);
        return BinaryPrimitives.ReadUInt32BigEndian(confirmation.AsSpan(5));
    }

    public Task ExecAsync(uint channel, string command, bool wantsReply = false) =>
        RequestAsync(channel, "exec", wantsReply, fields => fields.Text(command));

    public Task RequestAsync(uint channel, string type, bool wantsReply = false, Action<MessageBuilder>? more = null) =>
        SendAsync(MessageNumber.ChannelRequest, fields =>
        {
            fields.UInt32(channel).Text(type).Boolean(wantsReply);
            more?.Invoke(fields);
        });

    /// <summary>Versions and the first keys, as RFC 4253 wants it.</summary>
    public async Task ExchangeKeysAsync(KexInit offer)
    {
        var serverVersion = await ReceiveVersionAsync();
        await SendTextAsync(Version + "\r\n");
        var (serverInit, clientInit) = await ExchangeInitsAsync(offer);
        await FinishExchangeAsync(offer, serverVersion, serverInit, clientInit);
    }

    public async Task<(byte[] ServerInit, byte[] ClientInit)> ExchangeInitsAsync(KexInit offer)
    {
        var clientInit = offer.Write();
        await SendAsync(clientInit);
        return (await ReceiveAsync(MessageNumber.KexInit), clientInit);
    }

    public async Task FinishExchangeAsync(KexInit offer, string serverVersion, byte[] serverInit, byte[] clientInit)
    {
        using var ours = X25519.Generate();
        await SendAsync(MessageNumber.KexEcdhInit, fields => fields.String(ours.PublicKey));
        var reply = await ReceiveAsync(MessageNumber.KexEcdhReply);
        var (secret, hash) = Conclude(ours, reply, serverVersion, serverInit, clientInit);
        var isFirst = SessionId.Length == 0;
        if (isFirst)
            SessionId = hash;
        var keys = new KeyDerivation(HashAlgorithmName.SHA256, secret, hash, SessionId);
        var protection = new Protection(CipherAlgorithm.All.First(cipher => cipher.Name == offer.CiphersToServer[0]), null);
        var strict = offer.Kex.Contains("kex-strict-c-v00@openssh.com");

        await SendAsync(MessageNumber.NewKeys);
        _sealing = keys.ToServer(protection);
        await ReceiveAsync(MessageNumber.NewKeys);
        _opening = keys.ToClient(protection);
        if (strict)
            (SendSequence, ReceiveSequence) = (0, 0);
        if (isFirst)
            ExtInfo = await ReceiveAsync(MessageNumber.ExtInfo);
    }

    public async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync();
        _sealing.Dispose();
        _opening.Dispose();
        _socket.Dispose();
    }

    private static (byte[] Secret, byte[] Hash) Conclude(
        X25519 ours, byte[] reply, string serverVersion, byte[] serverInit, byte[] clientInit)
    {
        var reader = new SshReader(reply);
        reader.ReadMessageNumber();
        var hostKey = reader.ReadString();
        var share = reader.ReadString();
        var signature = new SshReader(reader.ReadString());
        reader.End();

        using var secret = new SshWriter();
        secret.WriteMpint(ours.Agree(share));
        using var input = new SshWriter();
        input.WriteText(Version);
        input.WriteText(serverVersion);
        input.WriteString(clientInit);
        input.WriteString(serverInit);
        input.WriteString(hostKey);
        input.WriteString(ours.PublicKey);
        input.WriteString(share);
        input.WriteBytes(secret.Written);
        var hash = SHA256.HashData(input.Written);

        var key = new SshReader(hostKey);
        Assert.Equal("ssh-ed25519", key.ReadName());
        Assert.Equal("ssh-ed25519", signature.ReadName());
        Assert.True(Ed25519.Verify(key.ReadString(), hash, signature.ReadString()));
        return (secret.Written.ToArray(), hash);
    }
}
