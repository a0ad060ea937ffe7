namespace Piku.Server.Ssh.Wire;

/// <summary>
/// The connection cannot go on: the other side broke the protocol or a limit. It ends with SSH_MSG_DISCONNECT,
/// which carries the reason and the message; so the message names nothing that the client may not know.
/// </summary>
internal sealed class SshProtocolException(DisconnectReason reason, string message) : Exception(message)
{
    public SshProtocolException(string message) : this(DisconnectReason.ProtocolError, message)
    {
    }

    public DisconnectReason Reason { get; } = reason;
}
