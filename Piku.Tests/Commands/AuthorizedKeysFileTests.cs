using Piku.Core.Model;
using Piku.Server.Commands;

namespace Piku.Tests.Commands;

public sealed class AuthorizedKeysFileTests : IDisposable
{
    private const string First = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea";
    private const string Second = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBmuKz4AGTXEyNSxq7aPuhtXu8tpkoyIACRNbkSWRoNY";

    private readonly TemporaryFolder _folder = new();
    private readonly AuthorizedKeysFile _file;
    private readonly PikuPaths _paths;

    public AuthorizedKeysFileTests()
    {
        _paths = new(_folder.Path);
        _file = new(_paths);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_was_there_stays_as_it_was()
    {
        const string Before = "# the keys of all\n\nzos-key-ring-label=\"x\" " + First + " strange\r\n  not a key at all\n" + Second + "  two  blanks ";
        Write(Before);

        await _file.AddAsync("bob", new(Role.Deployer, ["blog", "shop-*"]), First, Cancel);
        Assert.Equal($"{Before}\nenvironment=\"PIKU_ROLE=deployer\",environment=\"PIKU_APPS=blog shop-*\" {First} bob\n", Text);

        await _file.RemoveAsync(keys => [.. keys.Where(key => key.Name == "bob")], Cancel);
        Assert.Equal(Before + "\n", Text);
    }

    [Fact]
    public async Task A_key_comes_in_once()
    {
        await _file.AddAsync("bob", Rights.All, First + " somebody", Cancel);
        var wrong = await Assert.ThrowsAsync<UserError>(() => _file.AddAsync("eve", Rights.All, First, Cancel));
        Assert.Contains("already authorized as 'bob'", wrong.Message, StringComparison.Ordinal);
        var again = await _file.AddAsync(First, Cancel);
        Assert.Empty(again.Added);
        Assert.Equal("bob", Assert.Single(again.Known).Name);
        Assert.Equal($"{First} bob\n", Text);
    }

    [Fact]
    public async Task A_name_is_one_keys()
    {
        await _file.AddAsync("bob", Rights.All, First, Cancel);
        var wrong = await Assert.ThrowsAsync<UserError>(() => _file.AddAsync("bob", Rights.All, Second, Cancel));
        Assert.Contains("another key has the name 'bob' already", wrong.Message, StringComparison.Ordinal);
        Assert.Equal($"{First} bob\n", Text);
    }

    [Fact]
    public async Task A_key_that_was_removed_does_not_come_back_at_a_start_until_somebody_adds_it()
    {
        await _file.AddAtStartAsync($"{First} ada\n{Second} bob\n", Cancel);
        await _file.RemoveAsync(keys => [.. keys.Where(key => key.Name == "ada")], Cancel);

        var start = await _file.AddAtStartAsync($"{First} ada\n{Second} bob\n", Cancel);
        Assert.Empty(start.Added);
        Assert.Equal("ada", Assert.Single(start.Removed).Name);
        Assert.Equal($"{Second} bob\n", Text);

        Assert.Equal("ada", Assert.Single((await _file.AddAsync(First + " ada", Cancel)).Added).Name);
        Assert.Empty((await _file.AddAtStartAsync(First + " ada", Cancel)).Removed);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-----BEGIN OPENSSH PRIVATE KEY-----\n")]
    [InlineData(First + "\n" + Second + "\n")]
    [InlineData("command=\"apps\" " + First)]
    public async Task What_is_not_one_public_key_is_refused(string text)
    {
        await Assert.ThrowsAsync<UserError>(() => _file.AddAsync("bob", Rights.All, text, Cancel));
        Assert.False(File.Exists(_paths.AuthorizedKeys));
    }

    [Fact]
    public async Task A_key_hidden_in_the_comment_of_another_does_not_come_in()
    {
        await _file.AddAsync($"{First} bob\u2028{Second} eve\n", Cancel);
        Assert.Equal(First.Split(' ')[1], Convert.ToBase64String(Assert.Single(_file.Read().Keys).PublicKey.Span));

        await _file.AddAsync(Second + " carol", Cancel);
        await _file.RemoveAsync(keys => [.. keys.Where(key => key.Name == "carol")], Cancel);
        Assert.Equal($"{First} bob\u2028{Second} eve\n", Text);
    }

    [Fact]
    public async Task Writers_at_the_same_time_lose_nothing()
    {
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            await _file.AddAsync(First + " one", Cancel);
            await _file.AddAsync(Second + " two", Cancel);
        })));
        Assert.Equal(["one", "two"], _file.Read().Keys.Select(key => key.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_file_that_others_could_have_written_is_not_taken_over()
    {
        Write(First + "\n");
        File.SetUnixFileMode(_paths.AuthorizedKeys, (UnixFileMode)0b110_110_100);
        var wrong = await Assert.ThrowsAsync<UserError>(() => _file.AddAsync("bob", Rights.All, Second, Cancel));
        Assert.Contains("chmod go-w", wrong.Message, StringComparison.Ordinal);
        Assert.Equal(First + "\n", Text);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Text => File.ReadAllText(_paths.AuthorizedKeys);

    private void Write(string text) => File.WriteAllText(_paths.AuthorizedKeys, text);
}
