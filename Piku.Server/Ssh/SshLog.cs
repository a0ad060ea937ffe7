using System.Net;
using Microsoft.Extensions.Logging;

namespace Piku.Server.Ssh;

/// <summary>All that the endpoint says to the log. Commands are not in it: they may hold secrets.</summary>
internal static partial class SshLog
{
    [LoggerMessage(1, LogLevel.Information, "ssh listens on {EndPoint}")]
    public static partial void Listening(this ILogger logger, IPEndPoint endPoint);

    [LoggerMessage(2, LogLevel.Warning, "a connection could not be accepted: {Reason}")]
    public static partial void AcceptFailed(this ILogger logger, string reason);

    [LoggerMessage(3, LogLevel.Information, "a connection from {EndPoint} was refused: {Reason} (and {Untold} more since this was last said)")]
    public static partial void ConnectionRefused(this ILogger logger, IPEndPoint endPoint, string reason, int untold);

    [LoggerMessage(4, LogLevel.Debug, "{Connection}: connected from {EndPoint}")]
    public static partial void ConnectionStarted(this ILogger logger, string connection, IPEndPoint endPoint);

    [LoggerMessage(5, LogLevel.Information, "{Connection}: {User} came in with the key of {Name} ({Type} {Fingerprint}), client {Client}")]
    public static partial void Authenticated(
        this ILogger logger, string connection, string user, string name, string type, string fingerprint, string client);

    [LoggerMessage(6, LogLevel.Information, "{Connection}: ended: {Reason}")]
    public static partial void ConnectionEnded(this ILogger logger, string connection, string? reason);

    [LoggerMessage(7, LogLevel.Error, "{Connection}: internal error")]
    public static partial void ConnectionFailed(this ILogger logger, string connection, Exception exception);

    [LoggerMessage(8, LogLevel.Debug, "{Connection}: the farewell failed: {Reason}")]
    public static partial void FarewellFailed(this ILogger logger, string connection, string reason);

    [LoggerMessage(9, LogLevel.Warning, "{Connection}: sessions go on although their time is over")]
    public static partial void SessionsLinger(this ILogger logger, string connection);

    [LoggerMessage(10, LogLevel.Information, "{Connection}: {User} refused: the key {Fingerprint} is not authorized")]
    public static partial void KeyRefused(this ILogger logger, string connection, string user, string fingerprint);

    [LoggerMessage(11, LogLevel.Warning, "{Connection}: {User} refused: the signature is not by the key {Fingerprint}")]
    public static partial void SignatureRefused(this ILogger logger, string connection, string user, string fingerprint);

    [LoggerMessage(12, LogLevel.Debug, "{Connection}: {User} refused by the method {Method}")]
    public static partial void MethodRefused(this ILogger logger, string connection, string user, string method);

    [LoggerMessage(13, LogLevel.Debug, "{Session}: started")]
    public static partial void SessionStarted(this ILogger logger, string session);

    [LoggerMessage(14, LogLevel.Debug, "{Session}: ended with status {Status}")]
    public static partial void SessionEnded(this ILogger logger, string session, int status);

    [LoggerMessage(15, LogLevel.Debug, "{Session}: cancelled: {Reason}")]
    public static partial void SessionCancelled(this ILogger logger, string session, string reason);

    [LoggerMessage(16, LogLevel.Error, "{Session}: internal error")]
    public static partial void SessionFailed(this ILogger logger, string session, Exception exception);

    [LoggerMessage(17, LogLevel.Information, "{Path}: {Count} keys may come in")]
    public static partial void KeysRead(this ILogger logger, string path, int count);

    [LoggerMessage(18, LogLevel.Warning, "{Path}, line {Line} is ignored: {Reason}")]
    public static partial void KeyLineIgnored(this ILogger logger, string path, int line, string reason);

    [LoggerMessage(19, LogLevel.Warning, "{Path} cannot be read, and lets nobody in: {Reason}")]
    public static partial void KeysUnreadable(this ILogger logger, string path, string reason);

    [LoggerMessage(20, LogLevel.Information, "{Path}, line {Line}: the key of {Name} does not count from {Address}: {Reason}")]
    public static partial void KeyNotWelcome(this ILogger logger, string path, int line, string name, IPAddress address, string reason);

    [LoggerMessage(21, LogLevel.Warning, "{Address} is blocked for {Duration}: it keeps failing")]
    public static partial void AddressBlocked(this ILogger logger, IPAddress address, TimeSpan duration);

    [LoggerMessage(22, LogLevel.Debug, "the proxy {Proxy} does not say whose connection it passes on: {Reason}")]
    public static partial void ProxyHeaderRefused(this ILogger logger, IPEndPoint proxy, string reason);

    [LoggerMessage(30, LogLevel.Warning, "a host key cannot be made: {Reason}")]
    public static partial void HostKeyMissing(this ILogger logger, string reason);

    [LoggerMessage(40, LogLevel.Information, "{Path}, line {Line}: the certificate of {KeyId} (serial {Serial}) does not count from {Address}: {Reason}")]
    public static partial void CertificateNotWelcome(
        this ILogger logger, string path, int line, string keyId, ulong serial, IPAddress address, string reason);
}
