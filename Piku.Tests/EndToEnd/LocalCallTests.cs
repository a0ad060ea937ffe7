using Piku.Core.Machine;

namespace Piku.Tests.EndToEnd;

/// <summary>The same program typed on the server itself, and what it says when it can't start.</summary>
[NeedsMachine]
public sealed class LocalCallTests(RunningPiku shared) : IClassFixture<RunningPiku>
{
    private PikuInstance Piku => shared.Piku;

    [Fact]
    public async Task Commands_work_beside_the_daemon()
    {
        var repository = await Repository.FromExampleAsync(Piku.Client, "python-wsgi", "local");
        await repository.PushAsync();
        Assert.Contains("*local\n", (await Piku.LocalAsync("apps")).Output, StringComparison.Ordinal);
        Assert.Equal(0, (await Piku.LocalAsync("stop", "local")).Status.Code);
        Assert.Contains(" local (stopped)\n", await Piku.Client.CommandAsync("apps"), StringComparison.Ordinal);
        Assert.Equal(0, (await Piku.LocalAsync("config:set", "local", "GREETING=two words")).Status.Code);
        Assert.Equal(0, (await Piku.LocalAsync("restart", "local")).Status.Code);
        await shared.Browser.AssertSaysAsync(shared.Browser.Http(repository.Host), "two words");
        Assert.Equal(0, (await Piku.LocalAsync("destroy", "local")).Status.Code);
    }

    [Theory]
    [InlineData("Error: there is no command 'aps' (did you mean 'apps'?)", "aps")]
    [InlineData("Error: 'ps' needs the name of an app", "ps")]
    [InlineData("Error: 'apps' does not take 'x'", "apps", "x")]
    public async Task A_command_that_is_not_understood_ends_with_status_2(string sentence, params string[] words)
    {
        var run = await Piku.LocalAsync(words);
        Assert.Equal(2, run.Status.Code);
        Assert.StartsWith(sentence, run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("app 'nope' not found.", "restart", "nope")]
    [InlineData("'../x' is not a valid app name", "destroy", "../x")]
    public async Task A_command_that_fails_ends_with_status_1(string sentence, params string[] words)
    {
        var run = await Piku.LocalAsync(words);
        Assert.Equal(1, run.Status.Code);
        Assert.Contains(sentence, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_daemon_on_one_root_is_refused() =>
        await AssertDoesNotServeAsync("piku already runs on");

    [Theory]
    [InlineData("piku serve' does not know '--nope'", "--nope")]
    [InlineData("cannot be read", "--authorize", "/nonexistent.pub")]
    public async Task A_daemon_that_cannot_start_says_why_in_a_sentence(string sentence, params string[] arguments) =>
        await AssertDoesNotServeAsync(sentence, arguments);

    private async Task AssertDoesNotServeAsync(string sentence, params string[] arguments)
    {
        var run = await Piku.LocalAsync(["serve", .. arguments]);
        Assert.Equal(new ExitStatus(1), run.Status);
        Assert.Contains(sentence, run.Error, StringComparison.Ordinal);
        Assert.Single(run.Error.Trim().Split('\n'));
    }
}
