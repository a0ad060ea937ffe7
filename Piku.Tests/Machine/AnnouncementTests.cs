using Piku.Core.Machine;

namespace Piku.Tests.Machine;

public sealed class AnnouncementTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private string Path => _folder.File("one");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void It_counts_as_long_as_it_is_held_and_its_last_word_is_heard()
    {
        var announcement = Announcement.Make(Path, "something long");
        using var listener = Announcement.Listen(Path)!;
        Assert.True(listener.IsLiving);
        Assert.Equal("something long", listener.Text());
        announcement.Say("short");
        Assert.Equal("short", listener.Text());
        announcement.Dispose();
        Assert.False(listener.IsLiving);
        Assert.Equal("short", listener.Text());
        Assert.Null(Announcement.Listen(Path));
    }

    [Fact]
    public void What_a_killed_process_left_says_nothing_and_is_removed()
    {
        using var living = Announcement.Make(_folder.File("living"), "here");
        File.WriteAllText(Path, "gone\0");
        using (var listener = Announcement.Listen(Path)!)
            Assert.False(listener.IsLiving);
        Announcement.RemoveLeftovers(_folder.Path);
        Assert.False(File.Exists(Path));
        Assert.True(File.Exists(_folder.File("living")));
    }
}
