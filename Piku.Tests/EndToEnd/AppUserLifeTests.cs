using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Tests.EndToEnd;

/// <summary>Daemons that begin, cease and are killed with apps that have users of their own.</summary>
[NeedsMachine]
public sealed class AppUserLifeTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Turning_it_on_and_off_keeps_apps_running()
    {
        AppUsersInstance.SkipUnlessPossible();
        await using var piku = await PikuInstance.StartAsync();
        using var browser = new Browser(piku);
        var python = await Repository.FromExampleAsync(piku.Client, "python-wsgi", "python");
        var node = await Repository.FromExampleAsync(piku.Client, "node-web", "node");
        await python.PushAsync();
        await node.PushAsync();
        await piku.Client.CommandAsync("run", "python", "echo own > own.txt; mkdir -p $DATA_ROOT/up; echo upload > $DATA_ROOT/up/file; ln -s /etc/passwd $DATA_ROOT/link");
        await piku.Client.CommandAsync("config:set", "python", "GREETING=Kept");
        python.Replace("app.py", "VERSION = \"1\"", "VERSION = \"2\"");
        await python.PushAsync();
        var me = Owner.Of(piku.Paths.AuthorizedKeys);

        Assert.True((await piku.StopDaemonAsync()).Succeeded, piku.Output);
        await piku.GiveAppsUsersAsync();
        await piku.StartDaemonAsync();

        await browser.AssertSaysAsync(browser.Http(python.Host), "version 2");
        await browser.AssertSaysAsync(browser.Http(python.Host), "Kept");
        await browser.AssertSaysAsync(browser.Http(node.Host), "version 1");
        var user = AppUsersInstance.UserOf(piku, "python");
        Assert.NotEqual(me.User, user);
        AssertAllBelongTo(piku, "python", new(user, user));
        Assert.Equal("own\nupload\nmore\n", await piku.Client.CommandAsync("run", "python", "echo more >> $DATA_ROOT/up/file; echo x > $DATA_ROOT/new; cat own.txt $DATA_ROOT/up/file"));
        Assert.Equal(0u, Owner.Of("/etc/passwd").User);
        await piku.Client.CommandAsync("rollback", "python", "1");
        await browser.AssertSaysAsync(browser.Http(python.Host), "version 1");
        python.Replace("app.py", "VERSION = \"2\"", "VERSION = \"3\"");
        await python.PushAsync();
        await browser.AssertSaysAsync(browser.Http(python.Host), "version 3");

        Assert.True((await piku.StopDaemonAsync()).Succeeded, piku.Output);
        var stopped = await piku.LocalAsync("apps");
        Assert.Contains("python", stopped.Output + stopped.Error, StringComparison.Ordinal);
        await File.WriteAllTextAsync(piku.Paths.Config, "", Cancel);
        await piku.StartDaemonAsync();

        await browser.AssertSaysAsync(browser.Http(python.Host), "version 3");
        await browser.AssertSaysAsync(browser.Http(node.Host), "version 1");
        AssertAllBelongTo(piku, "python", me);
        Assert.Equal("own\nupload\nmore\nmost\n", await piku.Client.CommandAsync("run", "python", "echo most >> $DATA_ROOT/up/file; cat own.txt $DATA_ROOT/up/file"));
        python.Replace("app.py", "VERSION = \"3\"", "VERSION = \"4\"");
        await python.PushAsync();
        await browser.AssertSaysAsync(browser.Http(python.Host), "version 4");
    }

    [Fact]
    public async Task What_upstream_has_left_is_taken_over()
    {
        AppUsersInstance.SkipUnlessPossible();
        await using var piku = await PikuInstance.StartAsync(async instance =>
        {
            var tree = new UpstreamTree(instance);
            await tree.WriteAsync("g02-wsgi-nginx", 3, ("app.py", "def app(e,s):\n    s('200 OK',[]); return [b'version 1']\n"));
            await Programs.RunAsync("virtualenv", ["--quiet", "--python=python3", Path.Combine(instance.Paths.Envs, "g02")]);
            await tree.WriteAsync("g29-static", 0);
            await Programs.RunAsync("chown", ["-R", "piku:", instance.Paths.Root]);
            await instance.GiveAppsUsersAsync();
        });
        using var browser = new Browser(piku);
        await browser.AssertSaysAsync(browser.Http("g02.local"), "version 1");
        await browser.AssertSaysAsync(browser.Http("g29.local"), "x");
        var user = AppUsersInstance.UserOf(piku, "g02");
        Assert.NotEqual(user, AppUsersInstance.UserOf(piku, "g29"));
        AssertAllBelongTo(piku, "g02", new(user, user));
        Assert.Equal($"data\n{user}\n", await piku.Client.CommandAsync("run", "g02", "cat $DATA_ROOT/precious; id -u"));
        Assert.NotEmpty(AppUsersInstance.ProcessesOf(user));
    }

    [Fact]
    public async Task After_a_kill_nothing_of_before_runs_and_every_app_comes_back()
    {
        AppUsersInstance.SkipUnlessPossible();
        await using var piku = await PikuInstance.StartAsync(piku => piku.GiveAppsUsersAsync());
        using var browser = new Browser(piku);
        var repository = await Repository.FromExampleAsync(piku.Client, "node-web", "node");
        repository.Write("Procfile", "web: node server.js\nworker: sh -c 'sleep 1000 & wait'\n");
        await repository.PushAsync();
        var user = AppUsersInstance.UserOf(piku, "node");
        await Eventually.TrueAsync(() => AppUsersInstance.ProcessesOf(user).Any(process => ProcessTable.CommandLine(process) == "sleep 1000"));
        var before = AppUsersInstance.ProcessesOf(user).ToArray();

        await piku.KillDaemonAsync();
        await piku.StartDaemonAsync();

        await browser.AssertSaysAsync(browser.Http(repository.Host), "version 1");
        await AssertGoneAsync(before);

        // And amid a deploy.
        repository.Replace("server.js", "version = \"1\"", "version = \"2\"");
        repository.Write("Procfile", "web: node server.js\nrelease: touch \"$DATA_ROOT/here\" && sleep 2000; true\n");
        await repository.CommitAsync();
        await using (var push = await ChildProcess.StartAsync(repository.Push()))
        {
            await Eventually.TrueAsync(() => File.Exists(Path.Combine(piku.Paths.Data, "node", "here")), TimeSpan.FromSeconds(60), () => piku.Output);
            before = [.. AppUsersInstance.ProcessesOf(user)];
            await piku.KillDaemonAsync();
            await push.Exit;
        }
        await piku.StartDaemonAsync();

        await browser.AssertSaysAsync(browser.Http(repository.Host), "version 1");
        await AssertGoneAsync(before);
        repository.Write("Procfile", "web: node server.js\n");
        await repository.PushAsync();
        await browser.AssertSaysAsync(browser.Http(repository.Host), "version 2");

        static Task AssertGoneAsync(int[] processes) => Eventually.TrueAsync(
            () => !processes.Any(ProcessTable.IsRunning), explain: () => string.Join('\n', processes.Where(ProcessTable.IsRunning).Select(process => $"{process} {ProcessTable.CommandLine(process)}")));
    }

    [Fact]
    public async Task Whatever_an_app_leaves_the_daemon_starts_and_others_are_served()
    {
        AppUsersInstance.SkipUnlessPossible();
        await using var piku = await PikuInstance.StartAsync(piku => piku.GiveAppsUsersAsync());
        using var browser = new Browser(piku);
        var other = await Repository.FromExampleAsync(piku.Client, "static", "other");
        await other.PushAsync();
        var bad = await Repository.WithFilesAsync(piku.Client, "bad", ("Procfile", "worker: exec sleep 1000\n"), ("package.json", "{}"));
        await bad.PushAsync();
        var (repository, tree, settings) = (Path.Combine(piku.Paths.Repos, "bad"), Path.Combine(piku.Paths.Apps, "bad"), Path.Combine(piku.Paths.Envs, "bad"));
        // Links that a listing of all below would follow for ever, pipes, and what its owner may not read.
        await piku.Client.CommandAsync("run", "bad",
            $"for n in a b c; do ln -s . {repository}/refs/$n; ln -s . {tree}/.git/refs/$n; done; cd {settings} && rm -f LIVE_ENV SCALING ENV && mkfifo LIVE_ENV SCALING && touch ENV && chmod 0 ENV {repository}");

        await piku.KillDaemonAsync();
        await piku.StartDaemonAsync();

        await browser.AssertSaysAsync(browser.Http(other.Host), "version 1");
        other.Replace("public/index.html", "version 1", "version 2");
        await other.PushAsync();
        await browser.AssertSaysAsync(browser.Http(other.Host), "version 2");
        Assert.Contains("bad", await piku.Client.CommandAsync("apps"), StringComparison.Ordinal);
        await piku.Client.CommandAsync("destroy", "bad");
    }

    [Fact]
    public async Task Dependencies_and_what_builds_have_made_come_back()
    {
        AppUsersInstance.SkipUnlessPossible();
        await using var piku = await PikuInstance.StartAsync(async piku =>
        {
            var tools = Directory.CreateDirectory(Path.Combine(piku.Home, "tools")).FullName;
            foreach (var tool in new[] { "mvn", "java" })
            {
                await File.WriteAllTextAsync(Path.Combine(tools, tool), "#!/bin/sh\nrm -rf target\n! grep -q bad pom.xml || exit 1\nmkdir target && cp pom.xml target/made\n", Cancel);
                File.SetUnixFileMode(Path.Combine(tools, tool), (UnixFileMode)0b111_101_101);
            }
            piku.Environment = EnvMap.Empty.With("PATH", $"{tools}:{Programs.SearchPath}");
            await piku.GiveAppsUsersAsync();
        });
        using var browser = new Browser(piku);
        var built = await Repository.WithFilesAsync(piku.Client, "built", ("Procfile", "worker: exec sleep 1000\n"), ("pom.xml", "one\n"));
        await built.PushAsync();
        built.Write("pom.xml", "bad\n");
        Assert.False((await built.TryPushAsync()).Status.Succeeded);
        Assert.Equal($"one\none\n", await piku.Client.CommandAsync("run", "built", "cat target/made pom.xml && touch target/mine"));

        var app = await VersionedApp.DeployAsync(piku, browser, "versioned", "wsgi: app:application\n");
        await piku.Client.CommandAsync("run", "versioned", "touch $VIRTUAL_ENV/of-version-1");
        app.Next();
        await app.Repository.PushAsync();
        await browser.AssertSaysAsync(browser.Http(app.Repository.Host), "code 2 setting 2;");

        Assert.DoesNotContain("requirements.txt", await piku.Client.CommandAsync("rollback", "versioned", "1"), StringComparison.Ordinal);

        await browser.AssertSaysAsync(browser.Http(app.Repository.Host), "code 1 setting 1;");
        Assert.True((await piku.Client.SshAsync("run", "versioned", "ls $VIRTUAL_ENV/of-version-1 && touch $VIRTUAL_ENV/mine")).Status.Succeeded);
        app.Next();
        await app.Repository.PushAsync();
        await browser.AssertSaysAsync(browser.Http(app.Repository.Host), "code 3 setting 3;");
    }

    /// <summary>All that an app has, but what piku keeps about it.</summary>
    private static void AssertAllBelongTo(PikuInstance piku, string app, Owner owner)
    {
        var (paths, name) = (piku.Paths, AppName.Parse(app));
        Assert.All(
            new[] { paths.App(name), paths.Repo(name), paths.Env(name), paths.AppData(name), paths.AppLogs(name) }
                .SelectMany(folder => Directory.EnumerateFileSystemEntries(folder, "*", SearchOption.AllDirectories).Append(folder)),
            path => Assert.Equal((path, owner), (path, Owner.Of(path))));
    }
}
