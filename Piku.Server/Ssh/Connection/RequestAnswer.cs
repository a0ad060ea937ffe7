using Piku.Server.Ssh.Wire;

namespace Piku.Server.Ssh.Connection;

/// <summary>Answers a request on a channel (RFC 4254, section 5.4).</summary>
/// <param name="type">Of the request.</param>
/// <param name="reader">Its own fields.</param>
internal delegate RequestAnswer AnswerRequest(string type, ref SshReader reader);

/// <summary>What becomes of a request.</summary>
/// <param name="Then">What happens after the client has been told so.</param>
internal readonly record struct RequestAnswer(bool IsAccepted, Action? Then = null)
{
    public static readonly RequestAnswer Accepted = new(true);

    public static readonly RequestAnswer Refused = new(false);
}
