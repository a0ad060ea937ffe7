using Piku.Core.Git;
using Piku.Core.Model;

namespace Piku.Tests.Git;

public sealed class SubmoduleTests
{
    [Theory]
    [InlineData("https://host/a/lib.git", "../nested.git", "https://host/a/nested.git")]
    [InlineData("https://host/a/lib.git/", "../../b/nested", "https://host/b/nested")]
    [InlineData("https://host/a/lib.git", "./nested", "https://host/a/lib.git/nested")]
    [InlineData("ssh://git@host:2222/lib", "../nested", "ssh://git@host:2222/nested")]
    [InlineData("git@host:a/lib.git", "../nested.git", "git@host:a/nested.git")]
    [InlineData("git@host:lib.git", "../nested.git", "git@host:nested.git")]
    [InlineData("git@host:/a/lib.git", "../nested.git", "git@host:/a/nested.git")]
    [InlineData("https://host/lib", "https://other/x", "https://other/x")]
    public void An_address_is_relative_to_that_of_the_repository_that_names_it(string parent, string address, string whole)
    {
        var submodule = new Submodule("lib", address, false).RelativeTo(parent);
        Assert.Equal(whole, submodule.Address);
        submodule.Check();
    }

    [Theory]
    [InlineData(null, "../other")]
    [InlineData("https://host/lib", "../../other")]
    [InlineData("git@host:lib", "../../other")]
    [InlineData("https://host/lib", "/srv/other")]
    public void None_leads_to_this_machine_or_above_a_server(string? parent, string address) =>
        Assert.Contains("piku fetches submodules only from", Assert.Throws<UserError>(() => new Submodule("lib", address, false).RelativeTo(parent).Check()).Message, StringComparison.Ordinal);
}
