using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Tests.Machine;

public sealed class AtomicFileTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(AtomicFile.Secret)]
    [InlineData(AtomicFile.Readable)]
    [InlineData(AtomicFile.Executable)]
    public void A_new_file_has_exactly_the_content_and_mode_given(UnixFileMode mode)
    {
        AtomicFile.Write(_folder.File("ENV"), "A=1\n", mode);
        Assert.Equal("A=1\n", AtomicFile.ReadIfExists(_folder.File("ENV")));
        Assert.Equal(mode, File.GetUnixFileMode(_folder.File("ENV")));
    }

    [Fact]
    public void A_replaced_file_takes_the_new_mode_and_nothing_else_stays()
    {
        AtomicFile.Write(_folder.File("ENV"), "A=1\nB=2\n", AtomicFile.Readable);
        AtomicFile.Write(_folder.File("ENV"), "", AtomicFile.Secret);
        Assert.Equal("", AtomicFile.ReadIfExists(_folder.File("ENV")));
        Assert.Equal(AtomicFile.Secret, File.GetUnixFileMode(_folder.File("ENV")));
        Assert.Equal([_folder.File("ENV")], Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void What_is_not_there_reads_as_null()
    {
        Assert.Null(AtomicFile.ReadIfExists(_folder.File("ENV")));
        Assert.Null(AtomicFile.ReadIfExists(_folder.File("no/such/folder")));
        Assert.False(AtomicFile.Delete(_folder.File("ENV")));
    }

    [Fact]
    public async Task A_full_disk_is_one_sentence_and_the_old_file()
    {
        Assert.SkipUnless(UnixUser.Current.IsRoot, "only root can mount a disk small enough to fill");
        await RunAsync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", _folder.Path]);
        try
        {
            AtomicFile.Write(_folder.File("ENV"), "A=1\n", AtomicFile.Secret);
            var failure = Assert.Throws<UserError>(() => AtomicFile.Write(_folder.File("ENV"), new byte[200_000], AtomicFile.Secret));
            Assert.Contains("no space left", failure.Message, StringComparison.Ordinal);
            Assert.Equal("A=1\n", AtomicFile.ReadIfExists(_folder.File("ENV")));
            Assert.Single(Directory.EnumerateFileSystemEntries(_folder.Path));
        }
        finally
        {
            await RunAsync("umount", [_folder.Path]);
        }

        static async Task RunAsync(string program, string[] arguments) => Assert.True(
            (await ChildProcess.RunAsync(ChildProcessTests.Call(program, arguments), TestContext.Current.CancellationToken)).Succeeded);
    }

    [Fact]
    public void Leftovers_of_killed_writers_are_removed_and_nothing_else()
    {
        File.WriteAllText(_folder.File(".ENV.abc.tmp"), "half");
        File.WriteAllText(_folder.File("notes.tmp"), "whole");
        File.WriteAllText(_folder.File(".hidden"), "whole");
        AtomicFile.RemoveLeftovers(_folder.Path);
        Assert.Equal([".hidden", "notes.tmp"], Directory.EnumerateFiles(_folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task What_is_no_file_or_too_long_is_refused_and_nobody_waits_for_it()
    {
        Assert.True((await ChildProcess.RunAsync(ChildProcessTests.Call("mkfifo", [_folder.File("pipe")]), TestContext.Current.CancellationToken)).Succeeded);
        File.CreateSymbolicLink(_folder.File("loop"), "loop");
        Directory.CreateDirectory(_folder.File("folder"));
        using (var file = File.Create(_folder.File("long")))
            file.SetLength((64 << 20) + 1);
        using var socket = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Unspecified);
        socket.Bind(new System.Net.Sockets.UnixDomainSocketEndPoint(_folder.File("socket")));

        foreach (var name in new[] { "pipe", "loop", "folder", "long", "socket" })
            await Task.Run(() => Assert.Throws<UserError>(() => AtomicFile.ReadIfExists(_folder.File(name))), TestContext.Current.CancellationToken)
                .WaitAsync(Pace.Scale(TimeSpan.FromSeconds(20)), TestContext.Current.CancellationToken);
    }
}
