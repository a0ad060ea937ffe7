using Piku.Core.Model;

namespace Piku.Tests.EndToEnd;

/// <summary>What an app puts in the way of piku, which can go where the app cannot.</summary>
public sealed partial class AppUserTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Links_lead_piku_nowhere()
    {
        const string app = "linking";
        var name = AppName.Parse(app);
        var before = shared.Untouchable();
        var keys = (await File.ReadAllTextAsync(Paths.AuthorizedKeys, TestContext.Current.CancellationToken)).Split(' ')[1];
        var repository = await shared.WebAppAsync(app, ("folder/file", "1"), ("folder/deep/file", "1"));
        await repository.PushAsync();
        await Client.CommandAsync("config:set", app, "OWN=1");
        var (env, tree, logs, data, repo) = (Paths.Env(name), Paths.App(name), Paths.AppLogs(name), Paths.AppData(name), Paths.Repo(name));
        string[] targets = [Paths.EnvFile(Victim), Paths.AuthorizedKeys];
        var version = 1;

        // Its settings.
        foreach (var target in targets)
        {
            await AsUserAsync(app, $"cd {env} && cp ENV LIVE_ENV SCALING {Paths.Home(name)} && ln -sf {target} ENV && ln -sf {target} LIVE_ENV && ln -sf {target} SCALING");
            await AllAsync(["config", app], ["config:get", app, "TOKEN"], ["config:live", app], ["config:set", app, "MORE=1"], ["config:unset", app, "TOKEN"],
                ["ps", app], ["ps:scale", app, "web=2"], ["apps"], ["restart", app], ["deploy", app], ["run", app, "env"]);
            await BackAsync();
        }

        // What is no file, and what leads to itself.
        foreach (var odd in new[] { "mkdir ENV LIVE_ENV SCALING", "ln -s ENV ENV; ln -s LIVE_ENV LIVE_ENV; ln -s SCALING SCALING", "python3 -c \"import socket; [socket.socket(socket.AF_UNIX).bind(name) for name in ('ENV', 'LIVE_ENV', 'SCALING')]\"", "head -c 70M /dev/zero > ENV; ln ENV LIVE_ENV; ln ENV SCALING" })
        {
            await AsUserAsync(app, $"cd {env} && rm -rf ENV LIVE_ENV SCALING; {odd}");
            await AllAsync(["config", app], ["config:live", app], ["config:set", app, "MORE=1"], ["ps:scale", app, "web=2"], ["apps"], ["restart", app], ["run", app, "env"]);
            await BackAsync();
        }
        await Client.CommandAsync("deploy", app);

        // Its code: what is tracked, and the folders on the way to it.
        foreach (var target in targets)
        {
            await shared.AsAppAsync(app, $"for file in Procfile ENV package.json app.js; do ln -sf {target} $file; done");
            await AllAsync(["config", app], ["ps", app], ["restart", app], ["run", app, "true"]);
            await PushAsync();
        }
        foreach (var target in new[] { Paths.AppData(Victim), Paths.App(Victim), Paths.HostKeys, Paths.Root })
        {
            await shared.AsAppAsync(app, $"rm -rf folder; ln -s {target} folder; rm -rf node_modules; ln -s {target} node_modules; ln -sfn {target} $HOME/.piku-aside; ln -sfn {target} .git/piku-staging");
            await PushAsync(isInstalled: true);
            await AllAsync(["deploy", app]);
        }
        await shared.AsAppAsync(app, $"rm -rf folder; mkdir folder; ln -s {Paths.AppData(Victim)} folder/deep");
        await PushAsync();

        // What git keeps of it.
        foreach (var git in new[] { $"{tree}/.git", repo })
        {
            foreach (var file in git == repo ? ["HEAD", "packed-refs"] : new[] { "index", "piku-index", "objects/info/alternates", "config" })
            {
                await shared.AsAppAsync(app, $"cd {git} && {{ [ ! -e {file} ] || mv {file} $HOME/kept; }}; mkdir -p objects/info; ln -sf {targets[version % 2]} {file}");
                await AllAsync(["deploy", app]);
                await shared.AsAppAsync(app, $"cd {git} && rm -f {file} && {{ [ ! -e $HOME/kept ] || mv $HOME/kept {file}; }}");
            }
        }
        await Client.CommandAsync("deploy", app);
        await PushAsync();

        // Its logs and data.
        await shared.AsAppAsync(app, $"cd {logs} && for file in *.log; do mv $file $file.1; ln -s {targets[0]} $file; done; ln -s {targets[1]} keys.log; ln -s {Paths.AppLogs(Victim)}/own.log own.log; cd {data} && ln -s {targets[0]} env && ln -s {Paths.AppData(Victim)} theirs && ln -s {Paths.HostKeys} ssh");
        Clean(await shared.LogsAsync(app));
        await AllAsync(["restart", app], ["deploy", app], ["disk", app]);
        var local = Path.Combine(Client.Folder, "fetched");
        foreach (var path in new[] { $"/data/{app}/env", $"/data/{app}/theirs/secret", $"/logs/{app}/keys.log", $"/logs/{app}/own.log", $"/logs/{app}/web.1.log" })
            Assert.False((await shared.SftpAsync($"get {path} {local}")).Status.Succeeded, path);
        Assert.False(File.Exists(local));

        await shared.AsAppAsync(app, $"cd {env} && ln -sf {targets[0]} ENV; mkdir -p {tree}/x; ln -s {Paths.AppData(Victim)} {tree}/x/y; ln -s {Paths.AppData(Victim)} $HOME/x; ln -s {Paths.AppData(Victim)} {repo}/x; ln -s {Paths.AppData(Victim)} {logs}/x");
        await Client.CommandAsync("destroy", app);
        Assert.Equal(before, shared.Untouchable());
        await shared.Browser.AssertSaysAsync(shared.Browser.Http($"{Victim}.localhost"), "version 1");

        // With something for npm to do, or it would not be run.
        async Task PushAsync(bool isInstalled = false)
        {
            repository.Write("folder/file", $"{++version}");
            repository.Write("folder/deep/file", $"{version}");
            if (isInstalled)
                repository.Write("package.json", $$"""{ "version": "{{version}}.0.0", "engines": {} }""" + "\n");
            var push = await repository.TryPushAsync();
            Clean(push.Error);
        }

        Task BackAsync() => AsUserAsync(app, $"cd {env} && rm -rf ENV LIVE_ENV SCALING && cp {Paths.Home(name)}/ENV {Paths.Home(name)}/LIVE_ENV {Paths.Home(name)}/SCALING .");

        async Task AllAsync(params string[][] commands)
        {
            foreach (var command in commands)
                Clean($"{string.Join(' ', command)}: {await shared.SayAsync(command)}");
        }

        void Clean(string said)
        {
            Assert.DoesNotContain(AppUsersInstance.Secret, said, StringComparison.Ordinal);
            Assert.DoesNotContain(keys, said, StringComparison.Ordinal);
            Assert.DoesNotContain("PRIVATE KEY", said, StringComparison.Ordinal);
            Assert.False(said.Contains("internal error", StringComparison.Ordinal), $"{said}\n{Piku.Output}");
        }
    }

    [Fact]
    public async Task Pipes_do_not_stop_piku()
    {
        const string app = "piping";
        var name = AppName.Parse(app);
        var repository = await shared.WebAppAsync(app, ("requirements.txt", ""));
        await repository.PushAsync();
        string[] pipes =
        [
            Paths.EnvFile(name), Paths.LiveEnvFile(name), Paths.ScalingFile(name), Path.Combine(Paths.AppLogs(name), "x.log"),
            .. new[] { "Procfile", "requirements.txt", "package.json", "ENV", "uwsgi.include" }.Select(file => Path.Combine(Paths.App(name), file)),
        ];
        await shared.AsAppAsync(app, $"cp {Paths.EnvFile(name)} {Paths.LiveEnvFile(name)} {Paths.ScalingFile(name)} $HOME; rm -f {string.Join(' ', pipes)}; mkfifo {string.Join(' ', pipes)}");

        Assert.Contains($"{app}", await shared.SayAsync("apps"), StringComparison.Ordinal);
        foreach (var words in new string[][] { ["ps", app], ["config", app], ["config:live", app], ["config:get", app, "X"], ["config:set", app, "X=1"], ["ps:scale", app, "web=2"], ["restart", app], ["deploy", app], ["releases", app], ["disk", app], ["run", app, "true"] })
        {
            var said = await shared.SayAsync(words);
            Assert.False(said.Contains("internal error", StringComparison.Ordinal), $"{string.Join(' ', words)}: {said}\n{Piku.Output}");
        }
        Assert.DoesNotContain("internal error", await shared.LogsAsync(app), StringComparison.Ordinal);
        Assert.Contains("is not a file", await shared.SayAsync("config", app), StringComparison.Ordinal);
        await Client.CommandAsync("deploy", Victim.Value);
        await repository.TryPushAsync().WaitAsync(Soon, TestContext.Current.CancellationToken);

        // The tree comes back with a deploy, the settings when the app puts them back.
        await AsUserAsync(app, $"cd {Paths.Env(name)} && rm -f ENV LIVE_ENV SCALING && cp {Paths.Home(name)}/*ENV . ; rm -f {Paths.AppLogs(name)}/x.log");
        await Client.CommandAsync("deploy", app);
        await shared.Browser.AssertSaysAsync(shared.Browser.Http(repository.Host), "version 1");
        await Client.CommandAsync("destroy", app);
    }

    [Fact]
    public async Task Nginx_serves_nothing_of_another_app()
    {
        const string app = "serving";
        var name = AppName.Parse(app);
        var repository = await Repository.WithFilesAsync(Client, app, ("Procfile", "static: public\n"), ("public/index.html", "home"), ("public/own.txt", "own text"));
        string[] bad =
        [
            $"location /x {{ alias {Paths.AppData(Victim)}/; }}", $"location /x {{ root {Paths.AppData(Victim)}; }}", $"root {Paths.Root};",
            $"try_files /../../ENV =404;", $"error_page 404 {Paths.AuthorizedKeys};", $"location /x {{ proxy_pass http://unix:{Paths.Run}/emperor.sock; }}",
            $"location /x {{ uwsgi_pass unix:{Paths.Run}/emperor.sock; }}", $"include {Paths.AuthorizedKeys};", $"access_log {Paths.AppData(Victim)}/log;",
            "disable_symlinks off;", $"location /x {{ limit_except GET {{ root {Paths.Root}; }} }}", $"auth_basic_user_file {Paths.AuthorizedKeys};",
            $"if ($uri) {{ rewrite ^ /x; }}", $"location /x {{ location /x/y {{ proxy_store {Paths.AppData(Victim)}/secret; }} }}", $"ssl_certificate_key {Paths.NginxRoot}/{Victim}.key;",
        ];
        for (var number = 0; number < bad.Length; number++)
            repository.Write($"bad{number}.conf", bad[number] + "\n");
        repository.Write("good.conf", "add_header X-Own yes;\nlocation /teapot { return 418; }\n");
        repository.Write("ENV", $"NGINX_SERVER_NAME={repository.Host}\nNGINX_INCLUDE_FILE=good.conf\nNGINX_STATIC_PATHS=/up:{Paths.AppData(name)}/up\n");
        await repository.PushAsync();
        await shared.AsAppAsync(app,
            $"cd public && ln -s own.txt link && ln -s {Paths.App(Victim)}/secret.txt tree && ln -s {Paths.AppData(Victim)}/secret data && ln -s {Paths.EnvFile(Victim)} settings && ln -s {Paths.AuthorizedKeys} keys "
            + $"&& ln -s {Paths.AppData(Victim)} folder && ln -s / all && ln -s {Paths.App(Victim)}/secret.txt chain1 && ln -s chain1 chain && mkdir in && ln -s ../folder in/in; mkdir -p $DATA_ROOT/up && cd $DATA_ROOT/up && echo up > file && ln -s {Paths.AppData(Victim)}/secret secret && ln -s file link");

        Assert.Equal((200, "own text"), await GetAsync("/link"));
        Assert.Equal((200, "up\n"), await GetAsync("/up/link"));
        Assert.Equal(418, (await GetAsync("/teapot")).Status);
        foreach (var path in new[] { "/tree", "/data", "/settings", "/keys", "/folder/secret", "/in/in/secret", "/chain", "/up/secret", $"/all{Paths.AuthorizedKeys}", $"/all{Paths.AppData(Victim)}/secret", "/all/etc/passwd", "/up/../../theirs/secret", "/up/%2e%2e/%2e%2e/theirs/secret", "/up..%2f..%2ftheirs/secret", "/up../../theirs/secret" })
        {
            var (status, body) = await GetAsync(path);
            Assert.True(status is 403 or 404 or 400, $"{path}: {status} {body}");
            Assert.DoesNotContain(AppUsersInstance.Secret, body, StringComparison.Ordinal);
        }
        for (var number = 0; number < bad.Length; number++)
            await RefusedAsync("is not for apps with a user of their own", $"NGINX_INCLUDE_FILE=bad{number}.conf");
        foreach (var folder in new[] { Paths.AppData(Victim), $"{Paths.AppData(name)}/../{Victim}", "/etc", "../theirs", Paths.Root, Paths.Data, Paths.Env(name), Paths.HostKeys, Paths.AppLogs(Victim) })
            await RefusedAsync("would make public what is not", $"NGINX_STATIC_PATHS=/x:{folder}");
        await shared.SayAsync("config:unset", app, "NGINX_STATIC_PATHS", "NGINX_INCLUDE_FILE");
        await RefusedAsync("must be in", $"NGINX_CACHE_PATH={Paths.AppData(Victim)}", "NGINX_CACHE_PREFIXES=/");
        await RefusedAsync("must be in", $"NGINX_CACHE_PATH={Paths.Cache}/{Victim}", "NGINX_CACHE_PREFIXES=/");
        await RefusedAsync("NGINX_CATCH_ALL", "NGINX_CATCH_ALL=/../../theirs/secret");
        Assert.Equal((200, "home"), await GetAsync("/"));
        await Client.CommandAsync("destroy", app);

        Task<(int Status, string Body)> GetAsync(string path) => RawAsync(repository.Host, path);

        async Task RefusedAsync(string sentence, params string[] settings)
        {
            var run = await Client.SshAsync(["config:set", app, .. settings]);
            Assert.False(run.Status.Succeeded, string.Join(' ', settings));
            Assert.True((run.Output + run.Error).Contains(sentence, StringComparison.Ordinal), $"{string.Join(' ', settings)}: {run.Output}{run.Error}");
        }
    }

    /// <summary>Asks for a path as it stands; a browser would tidy it.</summary>
    private async Task<(int Status, string Body)> RawAsync(string host, string path)
    {
        var run = await Programs.RunAsync("curl", ["--silent", "--path-as-is", "--max-time", "20", "--header", $"Host: {host}", "--write-out", "\n%{http_code}", $"http://127.0.0.1:{Piku.HttpPort}{path}"]);
        var end = run.LastIndexOf('\n');
        return (int.Parse(run[(end + 1)..]), run[..end]);
    }

    /// <summary>Runs lines of a shell script as an app's user, without piku.</summary>
    private async Task AsUserAsync(string app, string script)
    {
        var user = AppUsersInstance.UserOf(Piku, app);
        await Programs.RunAsync("setpriv", [$"--reuid={user}", $"--regid={user}", "--clear-groups", "/bin/sh", "-c", script]);
    }
}
