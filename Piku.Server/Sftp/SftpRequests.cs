using System.Collections.Frozen;
using Piku.Core.Machine;

namespace Piku.Server.Sftp;

/// <summary>Answers the requests of one client, one entry of the table for each kind.</summary>
internal sealed class SftpRequests(FileTree tree) : IDisposable
{
    private const uint Version = 3;

    /// <summary>What a READDIR answers with at most; the client asks until there is no more.</summary>
    private const int EntriesAtOnce = 100;

    private const UnixFileMode NewFile = (UnixFileMode)0x1B6, NewFolder = (UnixFileMode)0x1FF; // 0666, 0777; less the umask

    private delegate void Answer(SftpRequests requests, uint id, ref SftpReader reader, SftpWriter answer);

    private static readonly FrozenDictionary<PacketType, Answer> Table = new Dictionary<PacketType, Answer>
    {
        [PacketType.Open] = Open,
        [PacketType.Close] = Close,
        [PacketType.Read] = Read,
        [PacketType.Write] = Write,
        [PacketType.LStat] = (requests, id, ref reader, answer) => Status(requests._tree.Status(reader.ReadText(), follow: false), id, answer),
        [PacketType.Stat] = (requests, id, ref reader, answer) => Status(requests._tree.Status(reader.ReadText(), follow: true), id, answer),
        [PacketType.FStat] = (requests, id, ref reader, answer) => Status(ConfinedFolder.Status(requests._handles.File(ref reader).Handle), id, answer),
        [PacketType.SetStat] = SetStatus,
        [PacketType.FSetStat] = SetFileStatus,
        [PacketType.OpenDir] = OpenFolder,
        [PacketType.ReadDir] = ReadFolder,
        [PacketType.Remove] = (requests, id, ref reader, answer) => requests._tree.DeleteFile(reader.ReadText()),
        [PacketType.MkDir] = MakeFolder,
        [PacketType.RmDir] = (requests, id, ref reader, answer) => requests._tree.DeleteFolder(reader.ReadText()),
        [PacketType.RealPath] = (requests, id, ref reader, answer) => Name(FileTree.Normalize(reader.ReadText()), id, answer),
        [PacketType.Rename] = (requests, id, ref reader, answer) => requests._tree.Rename(reader.ReadText(), reader.ReadText(), replace: false),
        [PacketType.ReadLink] = (requests, id, ref reader, answer) => Name(requests._tree.ReadLink(reader.ReadText()), id, answer),
        [PacketType.Symlink] = MakeLink,
        [PacketType.Extended] = Extended,
    }.ToFrozenDictionary();

    /// <summary>OpenSSH's PROTOCOL, section 4.</summary>
    private static readonly FrozenDictionary<string, Answer> Extensions = new Dictionary<string, Answer>(StringComparer.Ordinal)
    {
        ["posix-rename@openssh.com"] = (requests, id, ref reader, answer) => requests._tree.Rename(reader.ReadText(), reader.ReadText(), replace: true),
        ["fsync@openssh.com"] = (requests, id, ref reader, answer) => RandomAccess.FlushToDisk(requests._handles.File(ref reader).Handle),
        ["limits@openssh.com"] = Limits,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private readonly FileTree _tree = tree;
    private readonly HandleTable _handles = new();

    /// <summary>INIT and VERSION (section 4). False for anything else.</summary>
    public static bool TryOpen(ReadOnlySpan<byte> packet, SftpWriter answer)
    {
        if (packet.Length < 1 + sizeof(uint) || (PacketType)packet[0] != PacketType.Init)
            return false;
        answer.Begin(PacketType.Version, Version);
        foreach (var extension in Extensions.Keys)
        {
            answer.WriteText(extension);
            answer.WriteText("1");
        }
        answer.End();
        return true;
    }

    /// <summary>Answers a request; false when it has not even an id to answer to.</summary>
    public bool TryAnswer(ReadOnlySpan<byte> packet, SftpWriter answer)
    {
        if (packet.Length < 1 + sizeof(uint))
            return false;
        var reader = new SftpReader(packet);
        var type = reader.ReadType();
        var id = reader.ReadUInt32();
        var before = answer.Length;
        try
        {
            var handle = Table.GetValueOrDefault(type) ?? throw new SftpException(StatusCode.Unsupported, "there is no such request");
            handle(this, id, ref reader, answer);
            if (answer.Length == before)
                Finish(id, StatusCode.Ok, "", answer);
        }
        catch (SftpException wrong)
        {
            Fail(wrong.Code, wrong.Message);
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException or ObjectDisposedException)
        {
            Fail(Errors.Code(wrong), Errors.Sentence(wrong));
        }
        return true;

        void Fail(StatusCode code, string message)
        {
            if (answer.Length != before)
                answer.Undo();
            Finish(id, code, message, answer);
        }
    }

    public void Dispose() => _handles.Dispose();

    // string path, uint32 flags, attributes (section 6.3)
    private static void Open(SftpRequests requests, uint id, ref SftpReader reader, SftpWriter answer)
    {
        var path = reader.ReadText();
        var flags = (OpenFlags)reader.ReadUInt32();
        var attributes = FileAttributes.Read(ref reader);
        requests._handles.EnsureRoom();
        var access = (flags & (OpenFlags.Read | OpenFlags.Write)) switch
        {
            OpenFlags.Read => FileAccess.Read,
            OpenFlags.Write => FileAccess.Write,
            OpenFlags.Read | OpenFlags.Write => FileAccess.ReadWrite,
            _ => throw new SftpException(StatusCode.BadMessage, "a file is opened to be read or written"),
        };
        var mode = (flags & ~(OpenFlags.Read | OpenFlags.Write)) switch
        {
            var how when how.HasFlag(OpenFlags.Create | OpenFlags.Exclusive) => FileMode.CreateNew,
            var how when how.HasFlag(OpenFlags.Append) => FileMode.Append,
            var how when how.HasFlag(OpenFlags.Create | OpenFlags.Truncate) => FileMode.Create,
            var how when how.HasFlag(OpenFlags.Create) => FileMode.OpenOrCreate,
            var how when how.HasFlag(OpenFlags.Truncate) => FileMode.Truncate,
            _ => FileMode.Open,
        };
        var file = requests._tree.OpenFile(path, access, mode, attributes.Mode ?? NewFile);
        Handle(requests._handles.Add(new OpenFile(file, access != FileAccess.Read)), id, answer);
    }

    // string handle (section 6.3)
    private static void Close(SftpRequests requests, uint id, ref SftpReader reader, SftpWriter answer) => requests._handles.Close(ref reader);

    // string handle, uint64 offset, uint32 length (section 6.4)
    private static void Read(SftpRequests requests, uint id, ref SftpReader reader, SftpWriter answer)
    {
        var file = requests._handles.File(ref reader);
        var offset = Offset(reader.ReadUInt64());
        var length = (int)Math.Min(reader.ReadUInt32(), SftpServer.MaxData);
        answer.Begin(PacketType.Data, id);
        var count = answer.WriteString(length, span => RandomAccess.Read(file.Handle, span, offset));
        if (count == 0 && length > 0)
            throw new SftpException(StatusCode.EndOfFile, "end of file");
        answer.End();
    }

    // string handle, uint64 offset, string data (section 6.4)
    private static void Write(SftpRequests requests, uint id, ref SftpReader reader, SftpWriter answer)
    {
        var file = requests._handles.FileToWrite(ref reader);
        var offset = Offset(reader.ReadUInt64());
        RandomAccess.Write(file.Handle, reader.ReadString(), offset);
    }

    // string path, attributes (section 6.9)
    private static void SetStatus(SftpRequests requests, uint id, ref SftpReader reader, SftpWriter answer)
    {
        var path = reader.ReadText();
        var attributes = FileAttributes.Read(ref reader);
        requests._tree.Change(
            path, attributes.Size is { } size ? Offset(size) : null, attributes.Mode,
            attributes.Times is { } times ? (Time(times.Accessed), Time(times.Modified)) : null);
    }

    // string handle, attributes (section 6.9)
    private static void SetFileStatus(SftpRequests requests, uint id, ref SftpReader reader, SftpWriter answer)
    {
        var file = requests._handles.FileToWrite(ref reader).Handle;
        var attributes = FileAttributes.Read(ref reader);
        if (attributes.Size is { } size)
            RandomAccess.SetLength(file, Offset(size));
        if (attributes.Mode is { } mode)
            File.SetUnixFileMode(file, mode);
        if (attributes.Times is not { } times)
            return;
        File.SetLastAccessTimeUtc(file, Time(times.Accessed));
        File.SetLastWriteTimeUtc(file, Time(times.Modified));
    }

    // string path (section 6.7)
    private static void OpenFolder(SftpRequests requests, uint id, ref SftpReader reader, SftpWriter answer)
    {
        requests._handles.EnsureRoom();
        Handle(requests._handles.Add(requests._tree.OpenFolder(reader.ReadText())), id, answer);
    }

    // string handle (section 6.7)
    private static void ReadFolder(SftpRequests requests, uint id, ref SftpReader reader, SftpWriter answer)
    {
        var folder = requests._handles.Folder(ref reader);
        answer.Begin(PacketType.Name, id);
        var place = answer.Reserve();
        var count = 0;
        for (; count < EntriesAtOnce && folder.Next() is { } entry; count++)
        {
            answer.WriteText(entry.Name);
            answer.WriteText(FileAttributes.LongName(entry.Name, entry.Status));
            FileAttributes.Write(answer, entry.Status);
        }
        if (count == 0)
            throw new SftpException(StatusCode.EndOfFile, "end of folder");
        answer.Patch(place, count);
        answer.End();
    }

    // string path, attributes (section 6.6)
    private static void MakeFolder(SftpRequests requests, uint id, ref SftpReader reader, SftpWriter answer)
    {
        var path = reader.ReadText();
        requests._tree.CreateFolder(path, FileAttributes.Read(ref reader).Mode ?? NewFolder);
    }

    // string target, string link: in the order that OpenSSH gave them, against section 6.10 (its PROTOCOL, section 4.1).
    // WinSCP keeps to the section with every server that is not called OpenSSH; its link is absolute, as no target may be.
    private static void MakeLink(SftpRequests requests, uint id, ref SftpReader reader, SftpWriter answer)
    {
        var (first, second) = (reader.ReadText(), reader.ReadText());
        if (first.StartsWith('/') && !second.StartsWith('/'))
            requests._tree.CreateLink(first, second);
        else
            requests._tree.CreateLink(second, first);
    }

    private static void Extended(SftpRequests requests, uint id, ref SftpReader reader, SftpWriter answer)
    {
        var handle = Extensions.GetValueOrDefault(reader.ReadText()) ?? throw new SftpException(StatusCode.Unsupported, "there is no such extension");
        handle(requests, id, ref reader, answer);
    }

    // uint64 packet length, read length, write length, open handles (OpenSSH's PROTOCOL, section 4.8)
    private static void Limits(SftpRequests requests, uint id, ref SftpReader reader, SftpWriter answer)
    {
        answer.Begin(PacketType.ExtendedReply, id);
        answer.WriteUInt64(SftpServer.MaxPacket);
        answer.WriteUInt64(SftpServer.MaxData);
        answer.WriteUInt64(SftpServer.MaxData);
        answer.WriteUInt64(HandleTable.Most);
        answer.End();
    }

    private static void Status(FileStatus status, uint id, SftpWriter answer)
    {
        answer.Begin(PacketType.Attributes, id);
        FileAttributes.Write(answer, status);
        answer.End();
    }

    private static void Handle(uint handle, uint id, SftpWriter answer)
    {
        answer.Begin(PacketType.Handle, id);
        answer.WriteUInt32(sizeof(uint));
        answer.WriteUInt32(handle);
        answer.End();
    }

    // One name without attributes (section 6.11)
    private static void Name(string name, uint id, SftpWriter answer)
    {
        answer.Begin(PacketType.Name, id);
        answer.WriteUInt32(1);
        answer.WriteText(name);
        answer.WriteText(name);
        answer.WriteUInt32(0);
        answer.End();
    }

    // uint32 code, string message, string language (section 7)
    private static void Finish(uint id, StatusCode code, string message, SftpWriter answer)
    {
        answer.Begin(PacketType.Status, id);
        answer.WriteUInt32((uint)code);
        answer.WriteText(message);
        answer.WriteText("");
        answer.End();
    }

    private static long Offset(ulong value) =>
        value <= long.MaxValue ? (long)value : throw new SftpException(StatusCode.Failure, "no file is that long");

    private static DateTime Time(uint seconds) => DateTimeOffset.FromUnixTimeSeconds(seconds).UtcDateTime;

    [Flags]
    private enum OpenFlags : uint
    {
        Read = 1,
        Write = 2,
        Append = 4,
        Create = 8,
        Truncate = 16,
        Exclusive = 32,
    }
}
