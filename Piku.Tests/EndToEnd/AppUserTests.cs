using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Tests.EndToEnd;

/// <summary>What an app with a user of its own tries to do to another and to piku; see docs/SECURITY.md.</summary>
[NeedsMachine]
[Collection(nameof(AppUsersInstance))]
public sealed partial class AppUserTests(AppUsersInstance shared)
{
    private const string Sleeper = "worker: exec sleep 1000\n";

    private static AppName Victim => AppUsersInstance.Victim;

    private PikuInstance Piku => shared.Piku;

    private PikuPaths Paths => Piku.Paths;

    private Client Client => Piku.Client;

    [Fact]
    public async Task An_app_reads_nothing_of_another_or_of_piku()
    {
        const string app = "curious";
        // What any program of this machine may know: piku's settings, what it runs as apps, and who they are.
        string[] known =
        [
            Paths.Config, Path.Combine(Paths.Run, "passwd"), Path.Combine(Paths.Run, "group"), Path.Combine(Paths.Run, "vassal"),
            Path.Combine(Paths.Run, "hooks", "pre-receive"), Path.Combine(Paths.Uwsgi, "exit.py"), Path.Combine(Paths.Uwsgi, "cron.sh"), Path.Combine(Paths.Uwsgi, "uwsgi.ini"),
        ];
        var before = shared.Untouchable();
        var all = new DirectoryInfo(Paths.Root).EnumerateFileSystemInfos("*", SearchOption.AllDirectories).ToList();
        var files = all.OfType<FileInfo>().Where(file => file.LinkTarget is null && file.UnixFileMode != 0 && Status(file.FullName) == "regular").Select(file => file.FullName).ToList();
        Assert.All([Paths.EnvFile(Victim), Paths.LiveEnvFile(Victim), Path.Combine(Paths.AppData(Victim), "secret"), Paths.AuthorizedKeys], file => Assert.Contains(file, files));
        Assert.Contains(files, file => file.StartsWith(Paths.VassalsEnabled, StringComparison.Ordinal));
        Assert.Contains(files, file => file.StartsWith(Paths.HostKeys, StringComparison.Ordinal));
        var repository = await Repository.WithFilesAsync(Client, app,
            ("Procfile", "release: python3 attack.py > $DATA_ROOT/release 2>&1\nworker: python3 attack.py > $DATA_ROOT/worker 2>&1; touch $DATA_ROOT/over; exec sleep 1000\n"),
            ("package.json", "{}"), ("files", string.Join('\n', files) + "\n"),
            ("folders", string.Join('\n', all.OfType<DirectoryInfo>().Where(folder => folder.LinkTarget is null).Select(folder => folder.FullName).Append(Paths.Root)) + "\n"),
            // One program for some thousand files: a shell would start two for each.
            ("attack.py",
            """
            import os
            def attempt(word, path, deed):
                try:
                    deed()
                    print(word, path)
                except OSError:
                    pass
            def touch(path, flags):
                os.close(os.open(path, flags, 0o600))
            for file in open('files').read().splitlines():
                attempt('read', file, lambda: touch(file, os.O_RDONLY))
                attempt('wrote', file, lambda: touch(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT))
            for folder in open('folders').read().splitlines():
                attempt('listed', folder, lambda: os.listdir(folder))
                attempt('made in', folder, lambda: touch(folder + '/.planted', os.O_WRONLY | os.O_CREAT))
                attempt('moved', folder, lambda: os.rename(folder, folder + '.moved'))
                attempt('opened', folder, lambda: os.chmod(folder, 0o777))
            for own in os.environ['DATA_ROOT'], os.environ['HOME'], os.getcwd():
                attempt('own', own, lambda: (touch(own + '/.own', os.O_WRONLY | os.O_CREAT), os.listdir(own)))
            """));
        await repository.PushAsync();
        var data = Paths.AppData(AppName.Parse(app));
        await Eventually.TrueAsync(() => File.Exists(Path.Combine(data, "over")), TimeSpan.FromSeconds(60));

        var said = await shared.AsAppAsync(app, "python3 attack.py");
        foreach (var (whence, lines) in new[] { ("release", await ReadAsync(data, "release")), ("worker", await ReadAsync(data, "worker")), ("run", said) })
        {
            Assert.Contains($"own {data}\n", lines, StringComparison.Ordinal);
            Assert.Contains($"own {Paths.Home(AppName.Parse(app))}\n", lines, StringComparison.Ordinal);
            // A certificate is shown to every visitor.
            var got = lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => !line.StartsWith("own ", StringComparison.Ordinal) && !known.Any(file => line == $"read {file}"))
                .Where(line => !(line.StartsWith($"read {Paths.NginxRoot}/", StringComparison.Ordinal) && line.EndsWith(".crt", StringComparison.Ordinal)));
            Assert.True(!got.Any(), $"{whence}: {string.Join('\n', got)}");
        }
        Assert.Equal(before, shared.Untouchable());
        Assert.Contains("A=1", await shared.AsAppAsync(app, $"echo A=1 >> {Paths.EnvFile(AppName.Parse(app))}; cat {Paths.EnvFile(AppName.Parse(app))}"), StringComparison.Ordinal);
        Assert.Contains("project = curious", await shared.AsAppAsync(app, $"cat {Paths.VassalsEnabled}/{app}_worker.1.ini"), StringComparison.Ordinal);
        // The emperor does as it is told through its socket.
        Assert.Contains("refused", await shared.AsAppAsync(app,
            $"python3 -c \"import socket; s = socket.socket(socket.AF_UNIX); s.connect('{Paths.Run}/emperor.sock')\" 2>/dev/null || echo refused"), StringComparison.Ordinal);
        await Client.CommandAsync("destroy", app);

        static string Status(string file) => (File.GetAttributes(file) & FileAttributes.Normal) != 0 || new FileInfo(file).Length > 0 ? "regular" : "";
    }

    [Fact]
    public async Task An_app_signals_and_traces_no_process_of_another()
    {
        const string app = "meddler";
        var repository = await Repository.WithFilesAsync(Client, app, ("Procfile", Sleeper), ("package.json", "{}"), ("attack.py",
            """
            import ctypes, os, sys
            libc = ctypes.CDLL(None, use_errno=True)
            for pid in map(int, sys.argv[1:]):
                for name, attack in {
                    'signal': lambda: os.kill(pid, 0),
                    'environ': lambda: open(f'/proc/{pid}/environ', 'rb').read(), 'maps': lambda: open(f'/proc/{pid}/maps').read(),
                    'mem': lambda: open(f'/proc/{pid}/mem', 'rb'), 'cwd': lambda: os.readlink(f'/proc/{pid}/cwd'),
                    'in cwd': lambda: os.listdir(f'/proc/{pid}/cwd'), 'root': lambda: os.listdir(f'/proc/{pid}/root'),
                    'exe': lambda: os.readlink(f'/proc/{pid}/exe'), 'fd': lambda: os.listdir(f'/proc/{pid}/fd'),
                    'trace': lambda: 1 / (libc.ptrace(0x4206, pid, None, None) == 0),
                    'priority': lambda: os.setpriority(os.PRIO_PROCESS, pid, 19),
                }.items():
                    try:
                        attack()
                        print(name, pid)
                    except (OSError, ZeroDivisionError):
                        pass
            print('over')
            """));
        await repository.PushAsync();
        var (own, theirs) = (AppUsersInstance.UserOf(Piku, app), AppUsersInstance.UserOf(Piku, Victim.Value));
        await Eventually.TrueAsync(() => AppUsersInstance.ProcessesOf(own).Any(process => ProcessTable.CommandLine(process).StartsWith("sleep 1000", StringComparison.Ordinal)));
        var others = ProcessTable.TreeOf(Piku.ProcessId).Where(process => AppUsersInstance.RunsAs(process) is { } user && user != own).ToArray();
        Assert.Contains(Piku.ProcessId, others);
        Assert.Contains(others, process => ProcessTable.CommandLine(process).Contains("nginx", StringComparison.Ordinal));
        Assert.Contains(others, process => ProcessTable.CommandLine(process).Contains("uwsgi", StringComparison.Ordinal) && AppUsersInstance.RunsAs(process) != theirs);
        Assert.Contains(others, process => AppUsersInstance.RunsAs(process) == theirs);

        Assert.Equal("over\n", await shared.AsAppAsync(app, $"python3 attack.py {string.Join(' ', others)}"));
        Assert.Contains("signal ", await shared.AsAppAsync(app, $"python3 attack.py {AppUsersInstance.ProcessesOf(own).First()}"), StringComparison.Ordinal);
        await Client.CommandAsync("destroy", app);
    }

    [Fact]
    public async Task Git_runs_as_the_app()
    {
        const string app = "hooker";
        var repository = await Repository.WithFilesAsync(Client, app, ("Procfile", Sleeper), ("package.json", "{}"), ("file", "1"));
        await repository.PushAsync();
        var name = AppName.Parse(app);
        var (data, user) = (Paths.AppData(name), AppUsersInstance.UserOf(Piku, app));
        await shared.AsAppAsync(app,
            $"printf '#!/bin/sh\\nid -u >> {data}/ids; echo $0 >> {data}/names\\n' > {data}/who; chmod 755 {data}/who; "
            + $"for git in {Paths.Repo(name)} {Paths.App(name)}/.git; do "
            + $"for hook in post-checkout reference-transaction post-update post-receive update pre-receive post-index-change; do cp {data}/who $git/hooks/$hook; done; "
            + $"for key in core.fsmonitor core.sshCommand core.pager diff.external core.editor uploadpack.packObjectsHook core.gitProxy gc.recentObjectsHook credential.helper; do git config --file $git/config $key {data}/who; done; done");
        repository.Write("file", "2");
        repository.Write("another/file", "2");
        await repository.TryPushAsync();
        await Programs.CaptureAsync(Client.Git(Client.Folder, "clone", "--quiet", Client.Remote(app), "copy"));
        await shared.SayAsync("deploy", app);
        await shared.SayAsync("restart", app);

        // None of them counts. If one ever does, it must be as the app.
        var ids = File.Exists(Path.Combine(data, "ids")) ? (await ReadAsync(data, "ids")).Split('\n', StringSplitOptions.RemoveEmptyEntries) : [];
        Assert.All(ids, id => Assert.Equal($"{user}", id));
        Assert.Equal("", await Programs.RunAsync("find", [Paths.Repo(name), Path.Combine(Paths.App(name), ".git"), "!", "-uid", $"{user}"]));
        Assert.Contains("fsmonitor", await shared.AsAppAsync(app, "cat .git/config"), StringComparison.Ordinal);
        await Client.CommandAsync("destroy", app);
    }

    [Fact]
    public async Task Files_over_sftp_are_the_apps()
    {
        const string app = "uploader";
        var repository = await Repository.WithFilesAsync(Client, app, ("Procfile", Sleeper), ("package.json", "{}"));
        await repository.PushAsync();
        var (data, user) = (Paths.AppData(AppName.Parse(app)), AppUsersInstance.UserOf(Piku, app));
        var local = Path.Combine(Client.Folder, "upload");
        await File.WriteAllTextAsync(local, "uploaded", TestContext.Current.CancellationToken);

        var done = await shared.SftpAsync($"put {local} /data/{app}/a", $"mkdir /data/{app}/folder", $"put {local} /data/{app}/folder/b",
            $"rename /data/{app}/folder/b /data/{app}/folder/c", $"chmod 640 /data/{app}/a", $"symlink a /data/{app}/link", $"put {local} /data/{app}/gone", $"rm /data/{app}/gone");
        Assert.True(done.Status.Succeeded, done.Error);
        foreach (var options in new string[][] { [], ["-O"] })
            Assert.True((await Client.ScpAsync([.. options, local, $"piku@127.0.0.1:/data/{app}/scp{options.Length}"])).Status.Succeeded);
        var made = Directory.EnumerateFileSystemEntries(data, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToArray();
        Assert.Equal(["a", "folder", "folder/c", "link", "scp0", "scp1"], made.Select(path => Path.GetRelativePath(data, path)));
        Assert.All(made, path => Assert.Equal(new Owner(user, user), Owner.Of(path)));
        Assert.Equal("uploadedmore", await shared.AsAppAsync(app, "cd $DATA_ROOT && for f in a folder/c scp0 scp1; do printf more >> $f || exit; done; touch folder/d && rm folder/d && cat link"));

        // What the app has made, it may also change over sftp; and what is another's stays there.
        await shared.AsAppAsync(app, $"umask 077; cd $DATA_ROOT; echo own > own; ln -s {Paths.AppData(Victim)} out; ln -s {Paths.AppData(Victim)}/secret secret");
        Assert.True((await shared.SftpAsync($"get /data/{app}/own {local}.own", $"rm /data/{app}/own")).Status.Succeeded);
        foreach (var command in new[] { $"rename /data/{app}/a /data/{Victim}/a", $"rename /data/{Victim}/secret /data/{app}/taken", $"get /data/{app}/out/secret {local}.theirs", $"get /data/{app}/secret {local}.theirs", $"put {local} /data/{app}/out/x" })
            Assert.False((await shared.SftpAsync(command)).Status.Succeeded, command);
        Assert.False(File.Exists(local + ".theirs"));
        Assert.DoesNotContain("internal error", Piku.Output, StringComparison.Ordinal);
        await Client.CommandAsync("destroy", app);
    }

    [Fact]
    public async Task Destroy_ends_every_process_of_the_app()
    {
        const string app = "lingering";
        var repository = await Repository.WithFilesAsync(Client, app,
            ("Procfile", "worker: setsid env -i setsid sleep 2000 < /dev/null > /dev/null 2>&1 & exec sleep 1000\n"), ("package.json", "{}"));
        await repository.PushAsync();
        var (user, theirs) = (AppUsersInstance.UserOf(Piku, app), AppUsersInstance.UserOf(Piku, Victim.Value));
        await Eventually.TrueAsync(() => AppUsersInstance.ProcessesOf(user).Any(process => ProcessTable.CommandLine(process) == "sleep 2000"));
        var others = AppUsersInstance.ProcessesOf(theirs).Order().ToArray();

        await Client.CommandAsync("destroy", app);

        await Eventually.TrueAsync(() => !AppUsersInstance.ProcessesOf(user).Any(), explain: () => string.Join(' ', AppUsersInstance.ProcessesOf(user).Select(ProcessTable.CommandLine)));
        Assert.NotEmpty(others);
        Assert.Equal(others, AppUsersInstance.ProcessesOf(theirs).Order());
        await shared.Browser.AssertSaysAsync(shared.Browser.Http($"{Victim}.localhost"), "version 1");
    }

    /// <summary>LD_DEBUG_OUTPUT has the loader of every program write a file (ld.so(8)), where LD_PRELOAD would have it run what it names.</summary>
    [Fact]
    public async Task Variables_of_an_app_act_in_its_own_programs_alone()
    {
        var traces = Path.Combine(Paths.Data, "loading");
        var repository = await Repository.WithFilesAsync(Client, "loading",
            ("Procfile", Sleeper + "preflight: true\nrelease: true\n"), ("package.json", """{ "engines": {} }"""), ("ENV", $"LD_DEBUG=statistics\nLD_DEBUG_OUTPUT={traces}/trace\n"));
        await repository.PushAsync();
        await Client.CommandAsync("run", "loading", "true");
        await Client.CommandAsync("restart", "loading");

        var user = AppUsersInstance.UserOf(Piku, "loading");
        var written = Directory.GetFiles(traces, "trace.*");
        Assert.NotEmpty(written);
        Assert.All(written, file => Assert.Equal((file, user), (file, Owner.Of(file).User)));
        await Client.CommandAsync("destroy", "loading");
    }

    [Fact]
    public async Task Numbers_are_never_given_twice()
    {
        var first = await Repository.WithFilesAsync(Client, "first", ("Procfile", Sleeper), ("package.json", "{}"));
        await first.PushAsync();
        var user = AppUsersInstance.UserOf(Piku, "first");
        await Client.CommandAsync("run", "first", "umask 077; echo kept > $DATA_ROOT/file; echo gone > $HOME/file");
        await Client.CommandAsync("destroy", "first");
        var second = await Repository.WithFilesAsync(Client, "second", ("Procfile", Sleeper), ("package.json", "{}"));
        await second.PushAsync();

        Assert.NotEqual(user, AppUsersInstance.UserOf(Piku, "second"));
        Assert.DoesNotContain("kept", await shared.AsAppAsync("second", $"cat {Paths.Data}/first/file"), StringComparison.Ordinal);
        await first.PushAsync();
        Assert.Equal(user, AppUsersInstance.UserOf(Piku, "first"));
        Assert.Equal("kept\n", await Client.CommandAsync("run", "first", "cat $DATA_ROOT/file"));
        Assert.Equal($"{user} piku-first\n", await Client.CommandAsync("run", "first", "echo $(id -u) $(whoami)"));
        Assert.False((await Client.SshAsync("run", "first", "cat $HOME/file")).Status.Succeeded);
        await Client.CommandAsync("destroy", "first");
        await Client.CommandAsync("destroy", "second");
    }

    private static Task<string> ReadAsync(string folder, string file) => File.ReadAllTextAsync(Path.Combine(folder, file), TestContext.Current.CancellationToken);
}
