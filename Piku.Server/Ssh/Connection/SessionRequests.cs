using System.Collections.Frozen;
using System.Text;
using System.Text.Unicode;
using Piku.Server.Ssh.Wire;

namespace Piku.Server.Ssh.Connection;

/// <summary>Answers a request on a session.</summary>
/// <param name="reader">The fields of that request.</param>
internal delegate RequestAnswer AnswerSessionRequest(SessionChannel session, ref SshReader reader);

/// <summary>The requests that a session knows (RFC 4254, section 6). All others are refused.</summary>
internal static class SessionRequests
{
    public static readonly FrozenDictionary<string, AnswerSessionRequest> Table = new Dictionary<string, AnswerSessionRequest>
    {
        ["env"] = Environment,
        ["exec"] = Exec,
        ["shell"] = Shell,
        ["signal"] = Signal,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    // string name, string value (section 6.4)
    private static RequestAnswer Environment(SessionChannel session, ref SshReader reader)
    {
        var name = Text(reader.ReadString());
        var value = Text(reader.ReadString());
        reader.End();
        return name is not null && value is not null && session.TrySet(name, value)
            ? RequestAnswer.Accepted
            : RequestAnswer.Refused;
    }

    // string command (section 6.5)
    private static RequestAnswer Exec(SessionChannel session, ref SshReader reader)
    {
        var command = Text(reader.ReadString());
        reader.End();
        return command is null ? RequestAnswer.Refused : session.Start(command);
    }

    // section 6.5
    private static RequestAnswer Shell(SessionChannel session, ref SshReader reader)
    {
        reader.End();
        return session.Start(command: null);
    }

    // string name, without "SIG" (section 6.9)
    private static RequestAnswer Signal(SessionChannel session, ref SshReader reader)
    {
        session.Signal(reader.ReadName());
        reader.End();
        return RequestAnswer.Accepted;
    }

    /// <summary>Null for what is no text: programs would not get it unchanged.</summary>
    private static string? Text(ReadOnlySpan<byte> bytes) =>
        Utf8.IsValid(bytes) && !bytes.Contains((byte)0) ? Encoding.UTF8.GetString(bytes) : null;
}
