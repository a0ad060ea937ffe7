namespace Piku.Tests.EndToEnd;

[NeedsMachine]
public sealed class AccessTests(RunningPiku shared) : IClassFixture<RunningPiku>
{
    [Fact]
    public async Task A_key_that_is_not_listed_gets_nothing()
    {
        var folder = Directory.CreateTempSubdirectory("piku-stranger-");
        try
        {
            var stranger = new Client(folder.FullName, shared.Piku);
            await stranger.CreateKeyAsync();

            var command = await stranger.SshAsync("apps");
            Assert.Equal((255, ""), (command.Status.Code, command.Output));
            Assert.Contains("Permission denied", command.Error, StringComparison.Ordinal);

            var repository = await Repository.FromExampleAsync(stranger, "static", "intruder");
            Assert.False((await repository.TryPushAsync()).Status.Succeeded);
            Assert.False(Path.Exists(Path.Combine(shared.Piku.Paths.Repos, "intruder")));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData("../x")]
    [InlineData("'/../x'")]
    [InlineData("';id'")]
    [InlineData("'$(id)'")]
    [InlineData("-rf")]
    [InlineData("''")]
    [InlineData(".hidden")]
    [InlineData("a..b")]
    [InlineData("'a b'")]
    public async Task A_name_that_is_none_is_refused_and_nothing_written(string name)
    {
        var before = Snapshot();
        foreach (var verb in (string[])["git-receive-pack", "git-upload-pack", "config", "destroy", "deploy", "restart"])
        {
            var run = await shared.Piku.Client.SshAsync(verb, name);
            Assert.False(run.Status.Succeeded, $"{verb} {name}: {run.Output}");
            Assert.DoesNotContain("uid=", run.Output + run.Error, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", run.Output + run.Error, StringComparison.Ordinal);
        }
        Assert.Equal(before, Snapshot());
    }

    [Fact]
    public async Task A_command_that_is_none_is_refused_and_no_shell_runs_it()
    {
        foreach (var line in (string[])["bash", "nonsense", "apps; id", "'$(id)'", "`id`", "apps\nid", "../../bin/sh"])
        {
            var run = await shared.Piku.Client.SshAsync(line);
            Assert.DoesNotContain("uid=", run.Output + run.Error, StringComparison.Ordinal);
            Assert.True(line.StartsWith("apps", StringComparison.Ordinal) || !run.Status.Succeeded, line);
        }
    }

    [Fact]
    public async Task A_plain_login_greets_and_shows_the_help()
    {
        var run = await shared.Piku.Client.SshAsync();
        Assert.Contains("ada", run.Output, StringComparison.Ordinal);
        Assert.Contains("config:set", run.Output, StringComparison.Ordinal);
    }

    private string[] Snapshot() =>
    [
        .. new[] { shared.Piku.Paths.Apps, shared.Piku.Paths.Repos, shared.Piku.Paths.Envs, shared.Piku.Paths.VassalsEnabled, shared.Piku.Paths.NginxRoot }
            .SelectMany(Directory.EnumerateFileSystemEntries).Order(StringComparer.Ordinal),
    ];
}
