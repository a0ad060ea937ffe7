using Piku.Core.Apps;
using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Tests.Apps;

public sealed class UserNumbersTests : IDisposable
{
    private static readonly IdRange Few = new(1000, 4);
    private static readonly Owner Nobodys = new(0, 0);

    private readonly TemporaryFolder _root = new();
    private readonly UserNumbers _numbers;

    public UserNumbersTests() => _numbers = new(_root["list"], TimeProvider.System);

    [Fact]
    public async Task No_two_homes_have_one_number_whichever_installation_they_are_of()
    {
        Assert.Equal(1001u, await ClaimAsync("one/blog"));
        Assert.Equal(1002u, await ClaimAsync("other/blog"));
        Assert.Equal(1003u, await ClaimAsync("one/shop"));
        Assert.Equal(1002u, await ClaimAsync("other/blog"));
    }

    [Fact]
    public async Task A_home_keeps_the_number_that_it_has_unless_it_is_another_ones()
    {
        Assert.Equal(1003u, await ClaimAsync("one/blog", new Owner(1003, 1003)));
        // A copy of the installation, and one from a machine where piku had other numbers.
        Assert.Equal(1001u, await ClaimAsync("copy/blog", new Owner(1003, 1003)));
        Assert.Equal(1002u, await ClaimAsync("elsewhere/blog", new Owner(70000, 70000)));
    }

    [Fact]
    public async Task A_number_is_free_again_with_its_home_and_not_before()
    {
        foreach (var home in new[] { "one/a", "one/b", "one/c" })
            await ClaimAsync(home);
        Assert.Contains("all 3 users are given", (await Assert.ThrowsAsync<UserError>(() => ClaimAsync("one/d"))).Message, StringComparison.Ordinal);
        Directory.Delete(_root["one/b"]);
        Assert.Equal(1002u, await ClaimAsync("one/d"));
    }

    [Fact]
    public async Task Many_at_once_get_one_each()
    {
        var given = await Task.WhenAll(Enumerable.Range(0, 20).Select(home => ClaimAsync($"many/{home}", all: new(1000, 100))));
        Assert.Equal(20, given.Distinct().Count());
    }

    [Fact]
    public async Task A_list_that_cannot_be_written_is_said_in_a_sentence()
    {
        await File.WriteAllTextAsync(_root["file"], "", TestContext.Current.CancellationToken);
        var numbers = new UserNumbers(_root["file"], TimeProvider.System);
        var wrong = await Assert.ThrowsAsync<UserError>(() => numbers.ClaimAsync(_root["home"], Nobodys, Few, _ => Task.CompletedTask, TestContext.Current.CancellationToken));
        Assert.Contains("cannot be written", wrong.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _root.Dispose();

    private async Task<uint> ClaimAsync(string home, Owner? present = null, IdRange? all = null)
    {
        var given = 0u;
        await _numbers.ClaimAsync(_root[home], present ?? Nobodys, all ?? Few, user =>
        {
            Directory.CreateDirectory(_root[home]);
            given = user.User;
            return Task.CompletedTask;
        }, TestContext.Current.CancellationToken);
        return given;
    }
}
