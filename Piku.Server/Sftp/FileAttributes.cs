using Piku.Core.Machine;

namespace Piku.Server.Sftp;

/// <summary>The attributes of a file as they travel (draft-ietf-secsh-filexfer-02, section 5); null is "not given".</summary>
internal readonly record struct FileAttributes(ulong? Size, uint? Permissions, (uint Accessed, uint Modified)? Times)
{
    private const uint HasSize = 1, HasOwner = 2, HasPermissions = 4, HasTimes = 8, HasExtended = 0x80000000;

    public UnixFileMode? Mode => Permissions is { } mode ? (UnixFileMode)(mode & 0x1FF) : null;

    public static FileAttributes Read(ref SftpReader reader)
    {
        var flags = reader.ReadUInt32();
        ulong? size = (flags & HasSize) != 0 ? reader.ReadUInt64() : null;
        if ((flags & HasOwner) != 0)
            reader.ReadUInt64(); // uid and gid: all files belong to the user that piku runs as
        uint? permissions = (flags & HasPermissions) != 0 ? reader.ReadUInt32() : null;
        (uint, uint)? times = (flags & HasTimes) != 0 ? (reader.ReadUInt32(), reader.ReadUInt32()) : null;
        if ((flags & HasExtended) != 0)
        {
            for (var count = reader.ReadUInt32(); count > 0; count--)
            {
                reader.ReadString();
                reader.ReadString();
            }
        }
        return new(size, permissions, times);
    }

    public static void Write(SftpWriter writer, FileStatus status)
    {
        writer.WriteUInt32(HasSize | HasOwner | HasPermissions | HasTimes);
        writer.WriteUInt64(status.Size);
        writer.WriteUInt32(status.User);
        writer.WriteUInt32(status.Group);
        writer.WriteUInt32(status.Mode);
        writer.WriteUInt32((uint)status.Accessed);
        writer.WriteUInt32((uint)status.Modified);
    }

    /// <summary>A line as <c>ls -l</c> prints it, which clients show to people.</summary>
    public static string LongName(string name, FileStatus status)
    {
        var type = status.IsFolder ? 'd' : status.IsLink ? 'l' : '-';
        var time = DateTimeOffset.FromUnixTimeSeconds(Math.Clamp(status.Modified, 0, uint.MaxValue));
        var permissions = string.Concat("rwxrwxrwx".Select((letter, i) => (status.Mode & (0x100 >> i)) != 0 ? letter : '-'));
        return $"{type}{permissions} {status.Links,4} {status.User,-8} {status.Group,-8} {status.Size,12} {time:MMM dd yyyy} {name}";
    }
}
