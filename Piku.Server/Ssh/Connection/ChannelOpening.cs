namespace Piku.Server.Ssh.Connection;

/// <summary>Why a channel is not opened (RFC 4254, section 5.1).</summary>
internal enum OpenFailure
{
    AdministrativelyProhibited = 1,
    ConnectFailed = 2,
    UnknownChannelType = 3,
    ResourceShortage = 4,
}

/// <summary>
/// A client's wish for a channel: SSH_MSG_CHANNEL_OPEN (RFC 4254, section 5.1). It is accepted or refused, once, now or
/// later; until then its number is kept for it.
/// </summary>
/// <param name="Number">By which the client will call the channel.</param>
/// <param name="PeerNumber">By which we call the channel.</param>
/// <param name="Window">Data that we may send at first, in bytes.</param>
/// <param name="MaxDataLength">Most data that the client takes in one message.</param>
internal sealed record ChannelOpening(
    ConnectionProtocol Connection, ChannelType Type, uint Number, uint PeerNumber, uint Window, uint MaxDataLength)
{
    /// <summary>Opens the channel and tells the client.</summary>
    /// <param name="answer">Answers the client's requests on it.</param>
    /// <exception cref="OperationCanceledException">The connection has ended meanwhile.</exception>
    /// <param name="service">Serves it from now on, and ends with <see cref="Channel.Close"/>; null when that comes later.</param>
    public Channel Accept(AnswerRequest answer, Func<Channel, Task>? service = null) => Connection.Accept(this, answer, service);

    public void Refuse(OpenFailure reason, string message) => Connection.Refuse(this, reason, message);
}
