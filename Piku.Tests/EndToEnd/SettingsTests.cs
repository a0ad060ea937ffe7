using System.Text.Json;
using Piku.Core.Formats;

namespace Piku.Tests.EndToEnd;

[NeedsMachine]
public sealed class SettingsTests(RunningPiku shared) : IClassFixture<RunningPiku>
{
    private static readonly string[] Biting =
    [
        "100% %d %%", "$(id)", "$(HOME) @(/etc/hostname) %(listen) %(a b)", "\"double\" 'single' `back`", "back\\slash\\", "a;b{c}d#e", "café ☃ 🚀",
        "two  blanks", "x=y=z", new string('x', 65536),
    ];

    [Theory]
    [InlineData("python-wsgi")]
    [InlineData("node-web")]
    public async Task An_app_sees_exactly_what_was_set(string example)
    {
        var (piku, browser, app) = (shared.Piku, shared.Browser, $"sees-{example}");
        var repository = await Repository.FromExampleAsync(piku.Client, example, app);
        var inFile = Biting.Select((value, index) => KeyValuePair.Create($"FILE_{index}", value)).ToArray();
        repository.Write("ENV", $"NGINX_SERVER_NAME={repository.Host}\nGREETING=hi\n{EnvFile.Write(inFile)}");
        await repository.PushAsync();

        // ssh sends one line, which the server splits like a shell.
        var bySsh = Biting.Select((value, index) => KeyValuePair.Create($"SSH_{index}", value)).ToArray();
        await piku.Client.CommandAsync("config:set", app, ShellWords.Join(bySsh.Select(pair => $"{pair.Key}={pair.Value}")));

        await browser.AssertSaysAsync(browser.Http(repository.Host, "/env"), "SSH_0");
        var seen = JsonSerializer.Deserialize<Dictionary<string, string>>((await browser.GetAsync(browser.Http(repository.Host, "/env"))).Body)!;
        Assert.All([.. inFile, .. bySsh], pair => Assert.Equal(pair.Value, seen.GetValueOrDefault(pair.Key)));
        await piku.Client.CommandAsync("destroy", app);
    }

    [Fact]
    public async Task Settings_are_set_shown_and_unset()
    {
        var client = shared.Piku.Client;
        var repository = await Repository.WithFilesAsync(
            client, "settings", ("Procfile", "worker: sleep 1000\n"), ("package.json", "{}"), ("ENV", "A=repository\n"));
        await repository.PushAsync();

        await client.CommandAsync("config:set", "settings", "B=1", "'C=two words'");
        Assert.Equal("1", (await client.CommandAsync("config:get", "settings", "B")).Trim());
        Assert.Equal("B=1\nC=two words\n", await client.CommandAsync("config", "settings"));
        Assert.Contains("A=repository\n", await client.CommandAsync("config:live", "settings"), StringComparison.Ordinal);

        var wrong = await client.SshAsync("config:set", "settings", "D=1", "PIKU_MEMORY_LIMIT=lots");
        Assert.Equal(("Error: PIKU_MEMORY_LIMIT is 'lots', and must be a number from 16 to 1048576. Nothing is set.\n", "", 1), (wrong.Error, wrong.Output, wrong.Status.Code));
        Assert.Equal("B=1\nC=two words\n", await client.CommandAsync("config", "settings"));

        await client.CommandAsync("config:unset", "settings", "B");
        Assert.Equal("C=two words\n", await client.CommandAsync("config", "settings"));

        Assert.Equal(7, (await client.SshAsync("run", "settings", "exit 7")).Status.Code);
        Assert.Equal("repository two words\n", await client.CommandAsync("run", "settings", "echo $A $C"));
        await client.CommandAsync("destroy", "settings");
    }
}
