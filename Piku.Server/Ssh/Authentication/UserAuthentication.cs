using System.Net;
using Microsoft.Extensions.Logging;
using Piku.Server.Ssh.Crypto;
using Piku.Server.Ssh.Transport;
using Piku.Server.Ssh.Wire;

namespace Piku.Server.Ssh.Authentication;

/// <summary>
/// The authentication protocol (RFC 4252) with the one method <c>publickey</c>. A key that is merely offered
/// counts for nothing: only a signature over this very connection's session id does.
/// </summary>
/// <param name="remote">Where the client is: keys may be bound to addresses.</param>
internal sealed class UserAuthentication(
    SshTransport transport, SshServerOptions options, IPAddress remote, ILogger logger, string connectionId)
{
    private const string ThisService = "ssh-userauth", NextService = "ssh-connection", Method = "publickey";

    private bool _hasAsked; // for the methods, which is what a first "none" means
    private string? _user;

    /// <summary>Tries that have failed.</summary>
    public int Refusals { get; private set; }

    /// <summary>Answers requests until one of them proves a key.</summary>
    /// <exception cref="SshProtocolException">The client broke the protocol, or was refused too often.</exception>
    public async Task<AuthenticatedUser> RunAsync(CancellationToken cancellationToken)
    {
        AcceptService(await transport.ReceiveAsync(cancellationToken));
        while (true)
        {
            var message = await transport.ReceiveAsync(cancellationToken);
            if ((MessageNumber)message.Span[0] != MessageNumber.UserAuthRequest)
                throw new SshProtocolException("only authentication requests may come before authentication");
            var request = AuthenticationRequest.Read(message.Span);
            HoldToOneUser(request);
            if (await ProveAsync(request, cancellationToken) is { } key)
            {
                transport.Send([(byte)MessageNumber.UserAuthSuccess]);
                return new(request.User, key);
            }
        }
    }

    // RFC 4253, section 10
    private void AcceptService(ReadOnlyMemory<byte> message)
    {
        var reader = new SshReader(message.Span);
        if (reader.ReadMessageNumber() != MessageNumber.ServiceRequest)
            throw new SshProtocolException("a service must be requested first");
        var service = reader.ReadName();
        reader.End();
        if (service != ThisService)
            throw new SshProtocolException(DisconnectReason.ServiceNotAvailable, "the service is not available");
        using var answer = new SshWriter(MessageNumber.ServiceAccept);
        answer.WriteText(service);
        transport.Send(answer.Written);
    }

    // RFC 4252, section 5, lets a client change its mind; sshd does not, and no client does.
    private void HoldToOneUser(AuthenticationRequest request)
    {
        if (request.Service != NextService)
            throw new SshProtocolException(DisconnectReason.ServiceNotAvailable, "the service is not available");
        if (request.User != (_user ??= request.User))
            throw new SshProtocolException("the user name must not change");
    }

    /// <summary>The key, if the request proves one; otherwise the request has been answered.</summary>
    private async ValueTask<AuthorizedKey?> ProveAsync(AuthenticationRequest request, CancellationToken cancellationToken)
    {
        if (request.PublicKey is not { } offer)
        {
            Refuse(request, isAttempt: request.Method != "none" || _hasAsked);
            _hasAsked = true;
            return null;
        }

        var plainAlgorithm = UserCertificate.PlainAlgorithm(offer.Algorithm);
        var key = !options.IsUser(request.User) ? null
            : plainAlgorithm is null ? await options.AuthorizedKeys.FindAsync(offer.Key, remote, cancellationToken)
            : await options.AuthorizedKeys.FindAsync(UserCertificate.Read(offer.Key), request.User, remote, cancellationToken);
        var algorithm = key?.Type.Algorithms.FirstOrDefault(algorithm => algorithm.Name == (plainAlgorithm ?? offer.Algorithm));
        if (algorithm is null || !options.Algorithms.UserKeys.Contains(key!.Type))
        {
            logger.KeyRefused(connectionId, request.User, Fingerprints.Of(offer.Key));
            Refuse(request, isAttempt: true);
        }
        else if (offer.Signature is null)
        {
            SendPkOk(offer);
        }
        else if (IsGenuine(offer, algorithm, key!))
        {
            return key;
        }
        else
        {
            logger.SignatureRefused(connectionId, request.User, key!.Fingerprint);
            Refuse(request, isAttempt: true);
        }
        return null;
    }

    // The signature is over string session_id and the request itself (RFC 4252, section 7).
    private bool IsGenuine(PublicKeyRequest offer, SignatureAlgorithm algorithm, AuthorizedKey key)
    {
        using var signed = new SshWriter();
        signed.WriteString(transport.SessionId.Span);
        signed.WriteBytes(offer.SignedPart);
        return UserKeyType.IsGenuine(algorithm, key.PublicKey.Span, signed.Written, offer.Signature, Demanded(key.Options));
    }

    private static Presence Demanded(KeyOptions options) =>
        (options.NeedsTouch ? Presence.Touched : Presence.None) | (options.NeedsVerification ? Presence.Verified : Presence.None);

    private void Refuse(AuthenticationRequest request, bool isAttempt)
    {
        if (isAttempt && ++Refusals >= options.Limits.AuthenticationTries)
            throw new SshProtocolException(DisconnectReason.NoMoreAuthMethodsAvailable, "too many authentication failures");
        logger.MethodRefused(connectionId, request.User, request.Method);
        using var answer = new SshWriter(MessageNumber.UserAuthFailure);
        answer.WriteNameList(Method);
        answer.WriteBoolean(false);
        transport.Send(answer.Written);
    }

    private void SendPkOk(PublicKeyRequest offer)
    {
        using var answer = new SshWriter(MessageNumber.UserAuthPkOk);
        answer.WriteText(offer.Algorithm);
        answer.WriteString(offer.Key);
        transport.Send(answer.Written);
    }
}
