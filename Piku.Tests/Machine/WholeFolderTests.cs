using Piku.Core.Machine;
using Piku.Tests.EndToEnd;

namespace Piku.Tests.Machine;

/// <summary>Removing what the framework cannot remove.</summary>
public sealed class WholeFolderTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private string Tree => _folder.File("tree");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("touch \"$(printf 'latin\\351')\" './-rf' 'new\nline' && mkdir -p \"$(printf 'fo\\377lder')/in/it\" && touch \"$(printf 'fo\\377lder')/in/it/$(printf '\\200')\"")]
    [InlineData("mkdir -p mod/pkg@v1/in && touch mod/pkg@v1/file mod/pkg@v1/in/file && chmod -R a-w mod && chmod a-rwx mod/pkg@v1/in")]
    [InlineData("i=0; while [ $i -lt 300 ]; do mkdir deep-deep-deep && cd -P deep-deep-deep && i=$((i + 1)); done; touch end")]
    [InlineData("mkdir .removing-0 && mkdir -p a/.removing-0/b/c a/b/c d/e/f && touch .removing-1 a/.removing-0/b/c/x")]
    [InlineData("mkdir many && cd many && seq 1000 | xargs touch && mkdir sub && cd sub && seq 1000 | xargs mkdir")]
    public async Task Whatever_is_in_it_goes(string make)
    {
        Directory.CreateDirectory(Tree);
        await Programs.RunAsync("/bin/sh", ["-c", make], Tree);
        WholeFolder.Remove(Tree);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void What_links_lead_to_stays()
    {
        Directory.CreateDirectory(_folder.File("outside/in"));
        File.WriteAllText(_folder.File("outside/in/file"), "stays");
        Directory.CreateDirectory(Tree);
        File.CreateSymbolicLink(Path.Combine(Tree, "link"), _folder.File("outside"));
        File.CreateSymbolicLink(Path.Combine(Tree, "dangling"), "/nowhere");
        File.CreateSymbolicLink(_folder.File("linked"), _folder.File("outside"));

        WholeFolder.Remove(Tree);
        WholeFolder.Remove(_folder.File("linked"));
        WholeFolder.Remove(_folder.File("is-not-there"));

        Assert.False(Path.Exists(Tree));
        Assert.False(Path.Exists(_folder.File("linked")));
        Assert.Equal("stays", File.ReadAllText(_folder.File("outside/in/file")));
    }
}
