namespace Piku.Server.Ssh.Transport;

/// <summary>The other side has gone: with SSH_MSG_DISCONNECT, with the end of its stream, or without a word.</summary>
internal sealed class ConnectionLostException(string message, Exception? cause = null) : IOException(message, cause);
