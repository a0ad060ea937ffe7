using Piku.Core.Model;

namespace Piku.Tests.EndToEnd;

[NeedsMachine]
public sealed class PluginTests : IAsyncLifetime
{
    private PikuInstance? _piku;

    private PikuInstance Piku => _piku!;

    public async ValueTask InitializeAsync() => _piku = await PikuInstance.StartAsync();

    public async ValueTask DisposeAsync()
    {
        if (_piku is not null)
            await _piku.DisposeAsync();
    }

    [Fact]
    public async Task A_plugin_adds_a_verb_with_arguments_streams_and_context()
    {
        await WriteAsync("echo/say", "printf '%s|' \"$PIKU_APP\" \"$PIKU_CALLER\" \"$PIKU_ROOT\" \"$@\"; cat; echo oops >&2; exit 3");
        await WriteAsync("echo/say.help", "Usage: APP [WORD...]\nNeeds: read\nSay it again.\n");
        Assert.Contains("say APP [WORD...]", await Piku.Client.CommandAsync("help"), StringComparison.Ordinal);
        Assert.Contains("Say it again.", await Piku.Client.CommandAsync("help", "say"), StringComparison.Ordinal);

        var missing = await Piku.Client.SshAsync("say", "absent");
        Assert.Equal((1, "Error: app 'absent' not found.\n"), (missing.Status.Code, missing.Error));
        await PushAsync("plugged");
        var run = await Piku.Client.SshAsync("say", "plugged", "'two words'", "-x", "--");
        Assert.Equal((3, $"plugged|ada|{Piku.Paths.Root}|plugged|two words|-x|--|", "oops\n"), (run.Status.Code, run.Output, run.Error));
    }

    [Fact]
    public async Task Hooks_are_asked_before_a_deploy_and_told_after()
    {
        var told = Path.Combine(Piku.Paths.Root, "told");
        await WriteAsync("gate/hooks/pre-deploy", "echo gate is in $(pwd) and sees $(cd $PIKU_ROOT/apps/$PIKU_APP && ls Procfile); [ ! -e $PIKU_ROOT/apps/$PIKU_APP/forbidden ]");
        await WriteAsync("gate/hooks/post-deploy", $"echo \"deployed $PIKU_APP by $PIKU_CALLER\" >>{told}; exit 1");
        await WriteAsync("gate/hooks/post-destroy", $"echo \"destroyed $PIKU_APP\" >>{told}");

        var repository = await Repository.WithFilesAsync(Piku.Client, "gated", ("Procfile", "worker: sleep 1000\n"), ("package.json", "{}"), ("forbidden", ""));
        var refused = await repository.TryPushAsync();
        Assert.False(refused.Status.Succeeded);
        Assert.Contains("the pre-deploy hook of the plugin 'gate' refused", refused.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(told));

        File.Delete(Path.Combine(repository.Folder, "forbidden"));
        var said = await repository.PushAsync();
        var folder = Piku.Paths.HasAppUsers ? Piku.Paths.Root : Piku.Paths.App(AppName.Parse("gated"));
        Assert.Contains($"gate is in {folder} and sees Procfile", said, StringComparison.Ordinal);
        Assert.Contains("the post-deploy hook of the plugin 'gate' failed", said, StringComparison.Ordinal);
        await Piku.Client.CommandAsync("destroy", "gated");
        Assert.Equal("deployed gated by ada\ndestroyed gated\n", await File.ReadAllTextAsync(told, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Update_says_which_version_runs_and_how_to_upgrade()
    {
        var text = await Piku.Client.CommandAsync("update");
        Assert.Contains("This is piku ", text, StringComparison.Ordinal);
        Assert.Contains("apt-get", text, StringComparison.Ordinal);
    }

    private async Task PushAsync(string app)
    {
        var repository = await Repository.WithFilesAsync(Piku.Client, app, ("Procfile", "worker: sleep 1000\n"), ("package.json", "{}"));
        await repository.PushAsync();
    }

    private async Task WriteAsync(string name, string text)
    {
        var file = Path.Combine(Piku.Paths.Plugins, name);
        var folder = Path.GetDirectoryName(file)!;
        await Programs.RunAsync("mkdir", ["-p", folder]);
        await File.WriteAllTextAsync(file, name.EndsWith(".help", StringComparison.Ordinal) ? text : $"#!/bin/sh\n{text}\n", TestContext.Current.CancellationToken);
        await Programs.RunAsync("chmod", ["-R", name.EndsWith(".help", StringComparison.Ordinal) ? "a+rX" : "a+rx", file, Path.Combine(Piku.Paths.Plugins, name.Split('/')[0])]);
    }
}
