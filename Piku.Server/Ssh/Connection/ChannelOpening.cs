namespace Piku.Server.Ssh.Connection;

/// <summary>Why a channel is not opened (RFC 4254, section 5.1).</summary>
internal enum OpenFailure
{
    AdministrativelyProhibited = 1,
    ConnectFailed = 2,
    UnknownChannelType = 3,
    ResourceShortage = 4,
}

/// <summary>A client's wish for a channel: SSH_MSG_CHANNEL_OPEN (RFC 4254, section 5.1). It is accepted or refused, once, now or later.</summary>
/// <param name="PeerNumber">By which we call the channel.</param>
/// <param name="Window">Data that we may send at first, in bytes.</param>
/// <param name="MaxDataLength">Most data that the client takes in one message.</param>
internal sealed record ChannelOpening(ConnectionProtocol Connection, uint PeerNumber, uint Window, uint MaxDataLength)
{
    /// <summary>Opens the channel and tells the client.</summary>
    /// <param name="answer">Answers the client's requests on it.</param>
    public Channel Accept(AnswerRequest answer) => Connection.Accept(this, answer);

    public void Refuse(OpenFailure reason, string message) => Connection.Refuse(this, reason, message);
}
