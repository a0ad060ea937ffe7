namespace Piku.Server.Ssh.Wire;

/// <summary>Why a connection is ended (RFC 4253, section 11.1).</summary>
internal enum DisconnectReason
{
    ProtocolError = 2,
    KeyExchangeFailed = 3,
    MacError = 5,
    ServiceNotAvailable = 7,
    ProtocolVersionNotSupported = 8,
    ConnectionLost = 10,
    ByApplication = 11,
    TooManyConnections = 12,
    NoMoreAuthMethodsAvailable = 14,
}
