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
    public async Task Logs_end_when_their_reader_has_gone_also_when_nothing_is_logged()
    {
        var logs = Path.Combine(Piku.Paths.Logs, "quiet");
        foreach (var folder in new[] { Path.Combine(Piku.Paths.Apps, "quiet"), logs })
            Directory.CreateDirectory(folder);
        await File.WriteAllTextAsync(Path.Combine(logs, "web.1.log"), "first\nlast\n", TestContext.Current.CancellationToken);
        var piped = Piku.Local("logs", "quiet");
        var program = Array.IndexOf([.. piped.Arguments], "logs") - 1;
        var run = await Programs.CaptureAsync(piped with
        {
            Arguments = [.. piped.Arguments.Take(program), "/bin/sh", "-c", "\"$@\" | head -2", "sh", .. piped.Arguments.Skip(program)],
        });
        Assert.Equal("web.1 | first\nweb.1 | last\n", run.Output);
        Directory.Delete(Path.Combine(Piku.Paths.Apps, "quiet"));
    }

    [Fact]
    public async Task A_second_daemon_on_one_root_is_refused() =>
        await AssertDoesNotServeAsync("piku already runs on");

    [Theory]
    [InlineData("piku serve' does not know '--nope'", "--nope")]
    [InlineData("cannot be read: Could not find file", "--authorize", "/nonexistent.pub")]
    public async Task A_daemon_that_cannot_start_says_why_in_a_sentence(string sentence, params string[] arguments) =>
        await AssertDoesNotServeAsync(sentence, arguments);

    [Fact]
    public async Task A_folder_that_is_no_installation_is_said_to_be_none()
    {
        var root = Path.Combine(Piku.Home, "elsewhere");
        var call = Piku.Local("apps");
        var run = await Programs.CaptureAsync(call with { Environment = call.Environment.With("PIKU_ROOT", root) });
        Assert.Equal((1, "", $"Error: there is no piku installation in {root}: set PIKU_ROOT to the folder of one, or make one with 'piku setup' or 'piku serve'.\n"), (run.Status.Code, run.Output, run.Error));
        call = Piku.Local("help");
        Assert.True((await Programs.CaptureAsync(call with { Environment = call.Environment.With("PIKU_ROOT", root) })).Status.Succeeded);
        Assert.False(Directory.Exists(root));
    }

    [Theory]
    [InlineData("PIKU_HTTP_PORT", false, "is in use by another program: stop that program, or set PIKU_HTTP_PORT to another port.")]
    [InlineData("PIKU_HTTPS_PORT", false, "is in use by another program: stop that program, or set PIKU_HTTPS_PORT to another port.")]
    [InlineData("PIKU_SSH_PORT", false, "is in use by another program: stop that program, or set PIKU_SSH_PORT to another port.")]
    [InlineData("PIKU_HTTPS_PORT", true, "cannot be both the http port and the https port: set PIKU_HTTPS_PORT, or the option in piku.toml, to another one.")]
    public async Task A_port_that_cannot_be_had_is_one_sentence_and_a_failure(string variable, bool isOwn, string sentence)
    {
        var ports = FreePorts.Find(3, new HashSet<int>());
        var taken = isOwn ? ports[1] : Piku.HttpPort;
        var call = Piku.Local("serve");
        var environment = call.Environment.With("PIKU_ROOT", Path.Combine(Piku.Home, Path.GetRandomFileName()))
            .With("PIKU_SSH_PORT", $"{ports[0]}").With("PIKU_HTTP_PORT", $"{ports[1]}").With("PIKU_HTTPS_PORT", $"{ports[2]}").With(variable, $"{taken}");
        var run = await Programs.CaptureAsync(call with { Environment = environment });
        Assert.Equal((1, $"Error: port {taken} {sentence}\n"), (run.Status.Code, run.Error));
        Assert.DoesNotContain("   at ", run.Output, StringComparison.Ordinal);
    }

    private async Task AssertDoesNotServeAsync(string sentence, params string[] arguments)
    {
        var run = await Piku.LocalAsync(["serve", .. arguments]);
        Assert.True(run.Status == new ExitStatus(1), $"{run.Status}\n{run.Output}{run.Error}");
        Assert.Contains(sentence, run.Error, StringComparison.Ordinal);
        Assert.Single(run.Error.Trim().Split('\n'));
    }
}
