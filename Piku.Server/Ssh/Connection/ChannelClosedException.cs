namespace Piku.Server.Ssh.Connection;

/// <summary>Whoever reads or writes a channel finds that its client has left it, which may be a moment before it is told so.</summary>
internal sealed class ChannelClosedException(string message) : IOException(message);
