using Piku.Server.Commands;

namespace Piku.Tests.Commands;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData(null, "", new string[0], "")]
    [InlineData("", "", new string[0], "")]
    [InlineData("apps", "apps", new string[0], "")]
    [InlineData("  apps  ", "apps", new string[0], "")]
    [InlineData("config:set blog A='x y' B=\"q\"", "config:set", new[] { "blog", "A=x y", "B=q" }, "A='x y' B=\"q\"")]
    [InlineData("git-receive-pack '/blog.git'", "git-receive-pack", new[] { "/blog.git" }, "")]
    [InlineData("git upload-pack 'blog'", "git", new[] { "upload-pack", "blog" }, "'blog'")]
    [InlineData("run blog sh -c \"echo  hi; exit 3\"", "run", new[] { "blog", "sh", "-c", "\"echo", "hi;", "exit", "3\"" }, "sh -c \"echo  hi; exit 3\"")]
    [InlineData("run blog echo it's", "run", new[] { "blog", "echo", "it's" }, "echo it's")]
    public void A_line_is_split_as_a_shell_would(string? line, string verb, string[] words, string tail)
    {
        var parsed = CommandLine.Parse(line);
        Assert.Equal((verb, tail), (parsed.Verb, parsed.Tail));
        Assert.Equal(words, parsed.Arguments);
    }

    [Theory]
    [InlineData("APP", 0, "needs the name of an app")]
    [InlineData("APP", 2, "does not take")]
    [InlineData("APP KEY=VALUE...", 1, "needs KEY=VALUE")]
    [InlineData("", 1, "does not take")]
    public void A_wrong_number_of_arguments_is_explained(string usage, int count, string problem) =>
        Assert.Contains(problem, Assert.Throws<UsageException>(() =>
            new Usage("verb", usage).Read([.. Enumerable.Repeat("x", count)])).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("APP", 1)]
    [InlineData("APP [PROCESS]", 1)]
    [InlineData("APP [PROCESS]", 2)]
    [InlineData("APP KEY=VALUE...", 2)]
    [InlineData("APP KEY=VALUE...", 9)]
    [InlineData("APP [KIND=COUNT...]", 9)]
    [InlineData("", 0)]
    public void A_right_number_of_arguments_passes(string usage, int count) =>
        new Usage("verb", usage).Read([.. Enumerable.Repeat("x", count)]);
}
