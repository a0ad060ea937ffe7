using System.Security.Cryptography;
using Piku.Server.Sftp;

namespace Piku.Tests.Sftp;

/// <summary>
/// WinSCP's way of working, request by request as its SftpFileSystem.cpp makes them: an upload goes to a temporary name,
/// many writes ahead of their answers, and then takes the place of what was there.
/// </summary>
[NeedsMachine]
public sealed class WinScp
{
    private const uint HasSize = 1, HasPermissions = 4, HasTimes = 8;
    private const uint Read = 1, Write = 2, Create = 8, Truncate = 16;
    private const int Piece = 32 * 1024, Pieces = 64;
    private const uint Past = 1_000_000_000;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Comes_in_and_lists_its_folder()
    {
        await using var files = await FileServer.StartAsync();
        using var client = files.Converse();
        Assert.Equal(3u, await client.OpenAsync(version: 6)); // it takes what the server has
        Assert.Equal("/", (await client.AskAsync(PacketType.RealPath, ".")).Name);

        var handle = (await client.AskAsync(PacketType.OpenDir, "/logs/blog")).Handle;
        Assert.Equal("web.1.log", (await client.AskAsync(PacketType.ReadDir, WithHandle(handle))).Name);
        Assert.Equal(StatusCode.EndOfFile, (await client.AskAsync(PacketType.ReadDir, WithHandle(handle))).Status);
        Assert.Equal(StatusCode.Ok, (await client.AskAsync(PacketType.Close, WithHandle(handle))).Status);

        Assert.Equal(7u, (await client.AskAsync(PacketType.LStat, "/logs/blog/web.1.log")).Size);
        Assert.Equal(StatusCode.NoSuchFile, (await client.AskAsync(PacketType.LStat, "/data/blog/missing")).Status);
        Assert.Equal(StatusCode.Unsupported, (await client.AskAsync(PacketType.Extended, "statvfs@openssh.com", "/data/blog")).Status);
        Assert.Equal(0, await client.EndAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Uploads_under_a_temporary_name_and_replaces_what_was_there(bool byOneRename)
    {
        await using var files = await FileServer.StartAsync();
        await File.WriteAllTextAsync(files.At("data/blog/photo"), "old", Cancel);
        var data = RandomNumberGenerator.GetBytes(Pieces * Piece);
        using var client = files.Converse();
        await client.OpenAsync(version: 3);

        var handle = (await client.AskAsync(PacketType.Open, OpenFields("/data/blog/photo.filepart", Write | Create | Truncate))).Handle;
        await WriteAheadAsync(client, handle, data, from: 0);
        Assert.Equal(StatusCode.Ok, (await client.AskAsync(PacketType.FSetStat, TimesAndMode(fields => HandleField(fields, handle)))).Status);
        Assert.Equal(StatusCode.Ok, (await client.AskAsync(PacketType.Close, WithHandle(handle))).Status);
        if (byOneRename)
        {
            Assert.Equal(StatusCode.Ok, (await client.AskAsync(
                PacketType.Extended, "posix-rename@openssh.com", "/data/blog/photo.filepart", "/data/blog/photo")).Status);
        }
        else
        {
            Assert.Equal(StatusCode.Failure, (await client.AskAsync(PacketType.Rename, "/data/blog/photo.filepart", "/data/blog/photo")).Status);
            Assert.Equal(StatusCode.Ok, (await client.AskAsync(PacketType.Remove, "/data/blog/photo")).Status);
            Assert.Equal(StatusCode.Ok, (await client.AskAsync(PacketType.Rename, "/data/blog/photo.filepart", "/data/blog/photo")).Status);
        }
        Assert.Equal(StatusCode.Ok, (await client.AskAsync(PacketType.SetStat, TimesAndMode(fields => fields.WriteText("/data/blog/photo")))).Status);

        var photo = files.At("data/blog/photo");
        Assert.Equal(data, await File.ReadAllBytesAsync(photo, Cancel));
        Assert.Equal(DateTimeOffset.FromUnixTimeSeconds(Past).UtcDateTime, File.GetLastWriteTimeUtc(photo));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(photo));
        Assert.False(File.Exists(photo + ".filepart"));
        Assert.Equal(0, await client.EndAsync());
    }

    [Fact]
    public async Task Goes_on_with_an_upload_that_broke_off()
    {
        await using var files = await FileServer.StartAsync();
        var data = RandomNumberGenerator.GetBytes(Pieces * Piece);
        await File.WriteAllBytesAsync(files.At("data/blog/photo.filepart"), data[..(10 * Piece)], Cancel);
        using var client = files.Converse();
        await client.OpenAsync(version: 3);

        var there = (await client.AskAsync(PacketType.Stat, "/data/blog/photo.filepart")).Size;
        var handle = (await client.AskAsync(PacketType.Open, OpenFields("/data/blog/photo.filepart", Read | Write))).Handle;
        await WriteAheadAsync(client, handle, data, from: (int)there);
        Assert.Equal((ulong)data.Length, (await client.AskAsync(PacketType.FStat, WithHandle(handle))).Size);
        Assert.Equal(StatusCode.Ok, (await client.AskAsync(PacketType.Close, WithHandle(handle))).Status);

        Assert.Equal(data, await File.ReadAllBytesAsync(files.At("data/blog/photo.filepart"), Cancel));
    }

    [Fact]
    public async Task Makes_folders_and_links_and_removes_them()
    {
        await using var files = await FileServer.StartAsync();
        using var client = files.Converse();
        await client.OpenAsync(version: 3);

        Assert.Equal(StatusCode.Ok, (await client.AskAsync(PacketType.MkDir, fields =>
        {
            fields.WriteText("/data/blog/album");
            fields.WriteUInt32(0);
        })).Status);
        Assert.Equal(StatusCode.Ok, (await client.AskAsync(PacketType.SetStat, TimesAndMode(fields => fields.WriteText("/data/blog/album")))).Status);
        // The link and then its target, as in the draft and unlike in OpenSSH.
        Assert.Equal(StatusCode.Ok, (await client.AskAsync(PacketType.Symlink, "/data/blog/link", "album")).Status);
        Assert.Equal("album", (await client.AskAsync(PacketType.ReadLink, "/data/blog/link")).Name);
        Assert.Equal("album", new FileInfo(files.At("data/blog/link")).LinkTarget);
        Assert.Equal(StatusCode.PermissionDenied, (await client.AskAsync(PacketType.Symlink, "/data/blog/out", "../hidden")).Status);
        Assert.Equal(StatusCode.NoSuchFile, (await client.AskAsync(PacketType.Symlink, "/data/blog/out", "/etc/passwd")).Status);
        Assert.Equal(StatusCode.Ok, (await client.AskAsync(PacketType.Remove, "/data/blog/link")).Status);
        Assert.Equal(StatusCode.Ok, (await client.AskAsync(PacketType.RmDir, "/data/blog/album")).Status);

        Assert.Empty(Directory.GetFileSystemEntries(files.At("data/blog")));
    }

    private static async Task WriteAheadAsync(SftpConversation client, uint handle, byte[] data, int from)
    {
        var sent = new List<uint>();
        for (var offset = from; offset < data.Length; offset += Piece)
        {
            var piece = data.AsMemory(offset, Piece);
            var place = (ulong)offset;
            sent.Add(await client.SendAsync(PacketType.Write, fields =>
            {
                HandleField(fields, handle);
                fields.WriteUInt64(place);
                fields.WriteString(piece.Length, span =>
                {
                    piece.Span.CopyTo(span);
                    return piece.Length;
                });
            }));
        }
        foreach (var id in sent)
        {
            var answer = await client.ReceiveAsync();
            Assert.Equal((id, StatusCode.Ok), (answer.Id, answer.Status));
        }
    }

    private static Action<SftpWriter> OpenFields(string path, uint flags) => fields =>
    {
        fields.WriteText(path);
        fields.WriteUInt32(flags);
        fields.WriteUInt32(HasSize | HasPermissions);
        fields.WriteUInt64(Pieces * Piece);
        fields.WriteUInt32(0x1A4); // rw-r--r--
    };

    private static Action<SftpWriter> TimesAndMode(Action<SftpWriter> of) => fields =>
    {
        of(fields);
        fields.WriteUInt32(HasPermissions | HasTimes);
        fields.WriteUInt32(0x180); // rw-------
        fields.WriteUInt32(Past);
        fields.WriteUInt32(Past);
    };

    private static Action<SftpWriter> WithHandle(uint handle) => fields => HandleField(fields, handle);

    private static void HandleField(SftpWriter fields, uint handle)
    {
        fields.WriteUInt32(sizeof(uint));
        fields.WriteUInt32(handle);
    }
}
