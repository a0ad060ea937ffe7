using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Piku.Server.Ssh.Wire;

namespace Piku.Server.Ssh.Transport;

/// <summary>The key exchange (RFC 4253, sections 7 to 9; RFC 5656, section 4), the first one and all that follow.</summary>
internal sealed partial class SshTransport
{
    private readonly Lock _kexGate = new();
    private byte[]? _serverInit; // from our KEXINIT to the client's NEWKEYS
    private byte[] _sessionId = [];
    private bool _strict;
    private bool _isOpen; // the first exchange is done
    private long _rekeyAt; // Environment.TickCount64

    /// <summary>Sends our KEXINIT, unless an exchange is under way already.</summary>
    private byte[] BeginKeyExchange()
    {
        lock (_kexGate)
        {
            if (_serverInit is not null)
                return _serverInit;
            _serverInit = Negotiation.Offer(_options.Algorithms, _options.HostKeys).Write();
            if (_isOpen)
                _rekeyDeadline.Set(_limits.RekeyWithin);
            _sender.BeginKeyExchange(_serverInit);
            return _serverInit;
        }
    }

    private void RekeyIfDue()
    {
        if (_packetsLeft is null // before authentication only the client may want to
            && Volatile.Read(ref _serverInit) is null
            && (_sender.BytesWithKeys >= _limits.RekeyBytes
                || _receiver.BytesWithKeys >= _limits.RekeyBytes
                || Environment.TickCount64 >= _rekeyAt))
        {
            BeginKeyExchange();
        }
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "The sender and the receiver own the ciphers that they are given.")]
    private async ValueTask ExchangeKeysAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        var serverInit = BeginKeyExchange();
        var clientInit = message.ToArray();
        var client = KexInit.Read(clientInit);
        var agreed = Negotiation.Agree(client, _options.Algorithms, _options.HostKeys);
        if (!_isOpen)
            BeStrictWith(client);
        if (agreed.GuessIsWrong)
            await ReceiveKexMessageAsync(MessageNumber.KexEcdhInit, cancellationToken);

        var share = ReadShare(await ReceiveKexMessageAsync(MessageNumber.KexEcdhInit, cancellationToken));
        var answer = AnswerShare(agreed, share);
        var hash = ExchangeHash(agreed, clientInit, serverInit, share, answer);
        if (!_isOpen)
            _sessionId = hash;
        HostKeyAlgorithm = agreed.HostKeyAlgorithm.Name;
        SendReply(agreed, answer, hash);

        var keys = new KeyDerivation(agreed.Kex.Hash, answer.Secret, hash, _sessionId);
        var wantsExtInfo = !_isOpen && client.Kex.Contains(Negotiation.ExtInfoClient);
        _sender.EndKeyExchange(keys.ToClient(agreed.ToClient), _strict, wantsExtInfo ? ExtInfo() : []);
        await ReceiveKexMessageAsync(MessageNumber.NewKeys, cancellationToken);
        _receiver.UseKeys(keys.ToServer(agreed.ToServer), _strict);
        CryptographicOperations.ZeroMemory(answer.Secret);
        EndKeyExchange();
    }

    private void EndKeyExchange()
    {
        lock (_kexGate)
        {
            _isOpen = true;
            _serverInit = null;
            _rekeyAt = Environment.TickCount64 + (long)_limits.RekeyAfter.TotalMilliseconds;
            _rekeyDeadline.Lift();
        }
    }

    // With strict key exchange nothing may have come before KEXINIT: it is packet 0, and now number 1 is awaited.
    private void BeStrictWith(KexInit client)
    {
        _strict = client.Kex.Contains(Negotiation.StrictClient);
        if (_strict && _receiver.Sequence != 1)
            throw new SshProtocolException(DisconnectReason.KeyExchangeFailed, "a message before KEXINIT in a strict key exchange");
    }

    // Only these messages may come during an exchange (RFC 4253, section 7.1), and in a strict one nothing else at all.
    private async ValueTask<ReadOnlyMemory<byte>> ReceiveKexMessageAsync(MessageNumber expected, CancellationToken cancellationToken)
    {
        while (true)
        {
            var message = await NextAsync(cancellationToken);
            var number = Number(message);
            if (number == expected)
                return message;
            var harmless = number is MessageNumber.Ignore or MessageNumber.Debug or MessageNumber.Unimplemented;
            if (!harmless || (_strict && !_isOpen))
                throw new SshProtocolException($"message {(int)number} where {expected} must come");
        }
    }

    private static byte[] ReadShare(ReadOnlyMemory<byte> message)
    {
        var reader = new SshReader(message.Span);
        reader.ReadMessageNumber();
        var share = reader.ReadString().ToArray();
        reader.End();
        return share;
    }

    private static Crypto.KexAnswer AnswerShare(Agreement agreed, byte[] share)
    {
        try
        {
            return agreed.Kex.Answer(share);
        }
        catch (CryptographicException)
        {
            throw new SshProtocolException(DisconnectReason.KeyExchangeFailed, "the client's share of the secret is not valid");
        }
    }

    // H = HASH(V_C ‖ V_S ‖ I_C ‖ I_S ‖ K_S ‖ Q_C ‖ Q_S ‖ K) (RFC 5656, section 4)
    private byte[] ExchangeHash(Agreement agreed, byte[] clientInit, byte[] serverInit, byte[] share, Crypto.KexAnswer answer)
    {
        using var input = new SshWriter();
        input.WriteText(_clientVersion);
        input.WriteText(_options.Version);
        input.WriteString(clientInit);
        input.WriteString(serverInit);
        input.WriteString(agreed.HostKey.PublicKey);
        input.WriteString(share);
        input.WriteString(answer.ServerShare);
        input.WriteBytes(answer.Secret);
        return CryptographicOperations.HashData(agreed.Kex.Hash, input.Written);
    }

    private void SendReply(Agreement agreed, Crypto.KexAnswer answer, byte[] hash)
    {
        using var signature = new SshWriter();
        signature.WriteText(agreed.HostKeyAlgorithm.Name);
        signature.WriteString(agreed.HostKeyAlgorithm.Sign(hash));

        using var reply = new SshWriter(MessageNumber.KexEcdhReply);
        reply.WriteString(agreed.HostKey.PublicKey);
        reply.WriteString(answer.ServerShare);
        reply.WriteString(signature.Written);
        _sender.SendAtOnce(reply.Written);
    }

    // RFC 8308, sections 2.3 and 3.1
    private byte[] ExtInfo()
    {
        using var message = new SshWriter(MessageNumber.ExtInfo);
        message.WriteUInt32(1);
        message.WriteText("server-sig-algs");
        message.WriteNameList(_options.Algorithms.UserSignatures);
        return message.Written.ToArray();
    }
}
