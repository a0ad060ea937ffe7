using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Tests.EndToEnd;

/// <summary>What runs as an app's user, and how it is run.</summary>
[NeedsMachine]
[Collection(nameof(AppUsersInstance))]
public sealed class AppUserProgramTests(AppUsersInstance shared)
{
    private PikuInstance Piku => shared.Piku;

    private Client Client => Piku.Client;

    [Fact]
    public async Task Programs_know_who_they_are_and_where_they_are_at_home()
    {
        var (timely, home) = (AppUsersInstance.Timely, Piku.Paths.Home(AppUsersInstance.Timely));
        Assert.Equal($"piku-timely {home} piku-timely {home}\n", await Client.CommandAsync("run", timely.Value, "echo $(whoami) $HOME $USER $(getent passwd $(id -u) | cut -d: -f6)"));
        await AssertSaysAsync("worker", $"piku-timely {home} piku-timely\n");
        await AssertSaysAsync("cron", "piku-timely\n");
        await shared.Browser.AssertSaysAsync(shared.Browser.Http("theirs.localhost"), $"by piku-theirs at {Piku.Paths.Home(AppUsersInstance.Victim)}");
        var user = AppUsersInstance.UserOf(Piku, timely.Value);
        Assert.Contains(AppUsersInstance.ProcessesOf(user), process => ProcessTable.CommandLine(process).StartsWith("sleep 1000", StringComparison.Ordinal));

        Task AssertSaysAsync(string file, string text) => Eventually.TrueAsync(
            () => Path.Combine(Piku.Paths.AppData(timely), file) is var path && File.Exists(path) && File.ReadAllText(path) == text, TimeSpan.FromSeconds(75), () => $"{file} does not say {text}");
    }

    [Fact]
    public async Task Apps_of_every_kind_answer()
    {
        var wsgi = await AppAsync("user-wsgi", ("Procfile", "wsgi: app:application\n"), ("requirements.txt", ""), ("app.py",
            """
            import getpass, os
            def application(environ, start):
                start('200 OK', [])
                open(os.environ['DATA_ROOT'] + '/written', 'w').close()
                return [getpass.getuser().encode()]
            """));
        await shared.Browser.AssertSaysAsync(shared.Browser.Https(wsgi.Host), "piku-user-wsgi");
        Assert.Equal(AppUsersInstance.UserOf(Piku, wsgi.App), Owner.Of(Path.Combine(Piku.Paths.Data, wsgi.App, "written")).User);
        var files = await AppAsync("user-static", ("Procfile", "static: public\n"), ("public/index.html", "static page"));
        await shared.Browser.AssertSaysAsync(shared.Browser.Http(files.Host), "static page");
        await Client.CommandAsync("destroy", wsgi.App);
        await Client.CommandAsync("destroy", files.App);
        if (!File.Exists("/usr/lib/uwsgi/plugins/php_plugin.so"))
            return;
        var php = await AppAsync("user-php", ("Procfile", "php: public\n"), ("public/index.php", "<?php echo 'user ', posix_geteuid();"));
        await shared.Browser.AssertSaysAsync(shared.Browser.Http(php.Host), $"user {AppUsersInstance.UserOf(Piku, php.App)}");
        await Client.CommandAsync("destroy", php.App);
    }

    [Fact]
    public async Task Commands_on_the_server_act_as_those_over_ssh()
    {
        var repository = await AppAsync("user-local", ("Procfile", "web: node app.js\n"), ("package.json", "{}\n"), ("app.js", AppUsersInstance.Server));
        var user = AppUsersInstance.UserOf(Piku, repository.App);
        var who = await Piku.LocalAsync("run", repository.App, "echo $(id -u) $(whoami)");
        Assert.Equal(($"{user} piku-user-local\n", ""), (who.Output, who.Error));
        Assert.Contains("*user-local\n", (await Piku.LocalAsync("apps")).Output, StringComparison.Ordinal);
        foreach (var words in new string[][] { ["config:set", repository.App, "GREETING=hi"], ["restart", repository.App], ["deploy", repository.App], ["stop", repository.App], ["restart", repository.App] })
        {
            var run = await Piku.LocalAsync(words);
            Assert.True(run.Status.Succeeded, $"{string.Join(' ', words)}: {run.Output}{run.Error}");
        }
        await shared.Browser.AssertSaysAsync(shared.Browser.Http(repository.Host), "by piku-user-local");
        Assert.Equal(new Owner(user, user), Owner.Of(Piku.Paths.EnvFile(AppName.Parse(repository.App))));
        Assert.Equal("hi\n", (await Piku.LocalAsync("run", repository.App, "echo $GREETING")).Output);
        Assert.True((await Piku.LocalAsync("destroy", repository.App)).Status.Succeeded);
    }

    [Fact]
    public async Task Limits_hold_with_and_without_control_groups()
    {
        var repository = await AppAsync("user-limits", ("Procfile", "worker: exec sleep 1000\n"), ("package.json", "{}"));
        var user = AppUsersInstance.UserOf(Piku, repository.App);
        await Client.CommandAsync("config:set", repository.App, "PIKU_MEMORY_LIMIT=100");
        await AssertLimitAsync($"{164 << 20}");
        await Client.CommandAsync("config:unset", repository.App, "PIKU_MEMORY_LIMIT");
        await AssertLimitAsync("unlimited");

        // A folder in the kernel's shape, told as the daemon tells it.
        var groups = Path.Combine(Piku.Home, "groups");
        Directory.CreateDirectory(groups);
        await File.WriteAllTextAsync(Path.Combine(groups, "cgroup.subtree_control"), "memory cpu\n", TestContext.Current.CancellationToken);
        var told = Path.Combine(Piku.Paths.Run, "groups");
        await PikuInstance.GiveToDaemonAsync(groups, Path.Combine(groups, "cgroup.subtree_control"));
        await File.WriteAllTextAsync(told, groups, TestContext.Current.CancellationToken);
        await PikuInstance.GiveToDaemonAsync(told);
        try
        {
            await Client.CommandAsync("config:set", repository.App, "PIKU_MEMORY_LIMIT=200", "PIKU_CPU_LIMIT=0.5");
            // Not in place: what starts the vassal must be run.
            await Client.CommandAsync("stop", repository.App);
            await Client.CommandAsync("restart", repository.App);
            var group = "";
            await Eventually.TrueAsync(() => (group = Directory.GetDirectories(groups).FirstOrDefault(folder => File.Exists(Path.Combine(folder, "cgroup.procs"))) ?? "").Length > 0);
            Assert.Equal($"{(200L + 16) << 20}\n", await File.ReadAllTextAsync(Path.Combine(group, "memory.max"), TestContext.Current.CancellationToken));
            Assert.Equal("50000 100000\n", await File.ReadAllTextAsync(Path.Combine(group, "cpu.max"), TestContext.Current.CancellationToken));
            // Who has entered is what became the vassal.
            await Eventually.TrueAsync(
                () => AppUsersInstance.ProcessesOf(user).Contains(int.Parse(File.ReadAllText(Path.Combine(group, "cgroup.procs")))),
                explain: () => File.ReadAllText(Path.Combine(group, "cgroup.procs")) + ": " + string.Join(' ', AppUsersInstance.ProcessesOf(user)));
        }
        finally
        {
            File.Delete(told);
        }
        await Client.CommandAsync("destroy", repository.App);

        Task AssertLimitAsync(string bytes) => Eventually.TrueAsync(() => AppUsersInstance.ProcessesOf(user)
            .Where(process => ProcessTable.CommandLine(process).StartsWith("sleep 1000", StringComparison.Ordinal)).Select(LimitOf).ToArray() is [var limit] && limit == bytes);

        static string LimitOf(int process) => File.ReadAllLines($"/proc/{process}/limits")
            .Single(line => line.StartsWith("Max data size", StringComparison.Ordinal))["Max data size".Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0];
    }

    [Theory]
    [InlineData("/etc/subuid and /etc/subgid do not give the user nobody the same 1000 numbers or more: run 'usermod --add-subuids", "nobody", "[apps]\nusers = true\n", true)]
    [InlineData("the apps' users cannot come through", "piku", "[apps]\nusers = true\n", false)]
    [InlineData("apps.users needs services.supervise", "piku", "[services]\nsupervise = false\n[apps]\nusers = true\n", true)]
    public async Task What_is_missing_is_said_in_a_sentence(string sentence, string name, string settings, bool isOpen)
    {
        AppUsersInstance.SkipUnlessPossible();
        var folder = Directory.CreateTempSubdirectory("piku-e2e-").FullName;
        try
        {
            File.SetUnixFileMode(folder, (UnixFileMode)(isOpen ? 0b111_101_101 : 0b111_000_000));
            var root = Path.Combine(folder, ".piku");
            Directory.CreateDirectory(root);
            await File.WriteAllTextAsync(Path.Combine(root, "piku.toml"), settings, TestContext.Current.CancellationToken);
            await Programs.RunAsync("chown", ["-R", $"{name}:", folder]);
            var call = Piku.Local("serve", "--authorize", Client.PublicKey);
            var run = await Programs.CaptureAsync(call with
            {
                Arguments = [.. call.Arguments.Select(word => name == "piku" ? word : word.Replace("--reuid=piku", "--reuid=nobody", StringComparison.Ordinal).Replace("--regid=piku", "--regid=nogroup", StringComparison.Ordinal))],
                Environment = call.Environment.With("PIKU_ROOT", root).With("HOME", folder).With("USER", name),
            });
            Assert.Equal(new ExitStatus(1), run.Status);
            Assert.Contains(sentence, run.Error, StringComparison.Ordinal);
            Assert.Single(run.Error.Trim().Split('\n'));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private async Task<Repository> AppAsync(string app, params (string Path, string Text)[] files)
    {
        var repository = await Repository.WithFilesAsync(Client, app, files);
        repository.Write("ENV", $"NGINX_SERVER_NAME={repository.Host}\n");
        await repository.PushAsync();
        return repository;
    }
}
