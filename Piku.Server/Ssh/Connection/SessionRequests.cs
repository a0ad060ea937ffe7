using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Frozen;
using System.Collections.Immutable;
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
    /// <summary>Opcodes from here on have none that we know (section 8); and no client sends one more than once.</summary>
    private const int FirstOpcodeWithoutArgument = 160, MostModes = FirstOpcodeWithoutArgument;

    /// <summary>Of a terminal's type: terminfo's names have 14 and a suffix or two.</summary>
    private const int LongestType = 64;

    /// <summary>Programs make a file name of it.</summary>
    private static readonly SearchValues<byte> TypeCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-._"u8);

    public static readonly FrozenDictionary<string, AnswerSessionRequest> Table = new Dictionary<string, AnswerSessionRequest>
    {
        ["env"] = Environment,
        ["exec"] = Exec,
        ["pty-req"] = Terminal,
        ["shell"] = Shell,
        ["signal"] = Signal,
        ["subsystem"] = Subsystem,
        ["window-change"] = WindowChange,
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
        var bytes = reader.ReadString();
        reader.End();
        // Refused, all that the client could say is that the request failed.
        return Text(bytes) is { } command ? session.Start(command) : session.StartUnreadable();
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

    // string TERM, uint32 columns, rows, width, height, string modes (section 6.2)
    private static RequestAnswer Terminal(SessionChannel session, ref SshReader reader)
    {
        var type = reader.ReadString();
        var size = Size(ref reader);
        var modes = Modes(reader.ReadString());
        reader.End();
        return type.Length <= LongestType && !type.ContainsAnyExcept(TypeCharacters)
            && session.TryGiveTerminal(Encoding.ASCII.GetString(type), size, modes)
                ? RequestAnswer.Accepted
                : RequestAnswer.Refused;
    }

    // uint32 columns, rows, width, height (section 6.7)
    private static RequestAnswer WindowChange(SessionChannel session, ref SshReader reader)
    {
        session.Resize(Size(ref reader));
        reader.End();
        return RequestAnswer.Accepted;
    }

    // string name (section 6.5)
    private static RequestAnswer Subsystem(SessionChannel session, ref SshReader reader)
    {
        var name = reader.ReadName();
        reader.End();
        return session.StartSubsystem(name);
    }

    private static SshWindowSize Size(ref SshReader reader) =>
        new(reader.ReadUInt32(), reader.ReadUInt32(), reader.ReadUInt32(), reader.ReadUInt32());

    // byte opcode, uint32 argument, …; an opcode without an argument is the end, or unknown and ends it too (section 8)
    private static ImmutableArray<KeyValuePair<byte, uint>> Modes(ReadOnlySpan<byte> encoded)
    {
        var modes = ImmutableArray.CreateBuilder<KeyValuePair<byte, uint>>();
        while (encoded.Length > sizeof(uint) && encoded[0] is > 0 and < FirstOpcodeWithoutArgument && modes.Count < MostModes)
        {
            modes.Add(new(encoded[0], BinaryPrimitives.ReadUInt32BigEndian(encoded[1..])));
            encoded = encoded[(1 + sizeof(uint))..];
        }
        return modes.ToImmutable();
    }

    /// <summary>Null for what is no text: programs would not get it unchanged.</summary>
    private static string? Text(ReadOnlySpan<byte> bytes) =>
        Utf8.IsValid(bytes) && !bytes.Contains((byte)0) ? Encoding.UTF8.GetString(bytes) : null;
}
