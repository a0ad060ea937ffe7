using Piku.Core.Model;

namespace Piku.Tests.Model;

public sealed class AppNameTests
{
    [Theory]
    [InlineData("blog")]
    [InlineData("a")]
    [InlineData("My.App_1-x")]
    [InlineData("0")]
    public void Names_are_kept_as_they_are(string text) => Assert.Equal(text, AppName.Parse(text).Value);

    [Theory]
    [InlineData("")]
    [InlineData(" blog")]
    [InlineData("../x")]
    [InlineData("a..b")]
    [InlineData(".hidden")]
    [InlineData("-rf")]
    [InlineData("_x")]
    [InlineData("a/b")]
    [InlineData("a\0b")]
    [InlineData("a\nb")]
    [InlineData("blog\n")]
    [InlineData(";id")]
    [InlineData("$(id)")]
    [InlineData("blög")]
    [InlineData("blog.git")]
    [InlineData("blog.GIT")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public void Anything_else_is_refused_with_a_sentence(string text)
    {
        Assert.False(AppName.TryParse(text, out _));
        Assert.Contains("is not a valid app name", Assert.Throws<UserError>(() => AppName.Parse(text)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("blog")]
    [InlineData("/blog")]
    [InlineData("blog.git")]
    [InlineData("/blog.git")]
    [InlineData("/blog.git/")]
    [InlineData("blog/")]
    [InlineData("/~/blog")]
    [InlineData("~/blog.git")]
    [InlineData("./blog")]
    [InlineData("/./blog")]
    public void Git_paths_name_the_app(string path) => Assert.Equal("blog", AppName.FromGitPath(path).Value);

    [Theory]
    [InlineData("//blog")]
    [InlineData("/x/../blog")]
    [InlineData("~bob/blog")]
    [InlineData("~/../blog")]
    [InlineData(".git")]
    [InlineData("/")]
    public void Other_git_paths_are_refused(string path) => Assert.Throws<UserError>(() => AppName.FromGitPath(path));

    [Fact]
    public void A_git_path_with_folders_says_what_is_wrong_with_it() =>
        Assert.Contains("use ssh://piku@HOST:PORT/APP", Assert.Throws<UserError>(() => AppName.FromGitPath("/home/piku/blog")).Message, StringComparison.Ordinal);
}
