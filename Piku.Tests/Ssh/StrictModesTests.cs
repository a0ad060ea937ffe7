using Piku.Server.Ssh.Authentication;

namespace Piku.Tests.Ssh;

public sealed class StrictModesTests : IDisposable
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_file_of_ours_alone_is_safe_also_below_a_folder_for_all_like_tmp()
    {
        Assert.Null(StrictModes.Objection(Write("authorized_keys")));
        Assert.Null(StrictModes.Objection(_folder["absent"]));
    }

    [Theory]
    [InlineData(UnixFileMode.GroupWrite)]
    [InlineData(UnixFileMode.OtherWrite)]
    public void A_file_that_others_may_write_is_not(UnixFileMode more)
    {
        var file = Write("authorized_keys");
        File.SetUnixFileMode(file, Private | more);
        Assert.Equal($"others may write to {file}: run 'chmod go-w {file}'", StrictModes.Objection(file));
    }

    [Fact]
    public void Nor_is_one_in_a_folder_where_others_may_replace_it()
    {
        var file = Write("folder/below/authorized_keys");
        File.SetUnixFileMode(_folder["folder"], Private | UnixFileMode.GroupWrite);
        Assert.Contains(_folder["folder"], StrictModes.Objection(file), StringComparison.Ordinal);
    }

    [Fact]
    public void A_link_is_followed_to_the_folder_where_the_file_is()
    {
        var file = Write("open/authorized_keys");
        File.SetUnixFileMode(_folder["open"], Private | UnixFileMode.OtherWrite);
        File.CreateSymbolicLink(_folder["link"], file);
        Assert.Contains(_folder["open"], StrictModes.Objection(_folder["link"]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_of_somebody_else_is_not()
    {
        Assert.SkipUnless(Environment.UserName == "root", "only root can give a file away");
        var file = Write("authorized_keys");
        await Programs.RunAsync("chown", ["nobody", file]);
        Assert.Contains("belongs to another user", StrictModes.Objection(file), StringComparison.Ordinal);
    }

    private string Write(string name)
    {
        var file = _folder[name];
        Directory.CreateDirectory(Path.GetDirectoryName(file)!, Private);
        File.WriteAllText(file, "");
        File.SetUnixFileMode(file, Private);
        return file;
    }
}
