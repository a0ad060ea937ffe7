using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Tests.EndToEnd;

/// <summary>An app's processes have one owner: what runs of it is what should, and nothing else.</summary>
[NeedsMachine]
public sealed class ProcessTests(RunningPiku shared) : IClassFixture<RunningPiku>
{
    /// <summary>Takes its time to end when it is told to, says what it does, and starts what nobody else knows of.</summary>
    private const string Web = """
        const http = require('http'), { spawn } = require('child_process');
        const version = '1';
        for (let n = 1; n <= 60; n++) console.log(`line ${n} of version ${version}`, '.'.repeat(40));
        spawn('setsid', ['env', '-i', 'tail', '-F', `${process.env.DATA_ROOT}/of-web-${version}`], { stdio: 'ignore', detached: true }).unref();
        process.on('SIGTERM', () => setTimeout(() => process.exit(), 2000));
        http.createServer((ask, answer) => answer.end('version ' + version)).listen(process.env.PORT, process.env.BIND_ADDRESS);
        """;

    /// <summary>Does not end when it is told to.</summary>
    private const string Worker = """
        trap '' TERM
        tail -F $DATA_ROOT/of-worker-1
        """;

    private PikuInstance Piku => shared.Piku;

    private Browser Browser => shared.Browser;

    [Fact]
    public async Task A_version_on_a_port_of_its_own_answers_for_itself_and_leaves_nothing_behind()
    {
        var port = FreePorts.Find(1, new HashSet<int>())[0];
        var repository = await Repository.WithFilesAsync(
            Piku.Client, "fixedport", ("Procfile", "web: node app.js; true\nworker: /bin/sh worker.sh\n"), ("package.json", "{}\n"), ("app.js", Web), ("worker.sh", Worker));
        repository.Write("ENV", $"NGINX_SERVER_NAME={repository.Host}\nPORT={port}\nPIKU_STOP_TIMEOUT=3\nUWSGI_LOG_MAXSIZE=2000\n");
        await repository.PushAsync();
        await RunsAsync("fixedport", "of-web-1", "of-worker-1");
        var lines = await LogsAsync("fixedport", "web", 20);
        Assert.Equal(Enumerable.Range(41, 20).Select(n => $"web.1 | line {n} of version 1 {new string('.', 40)}"), lines);

        repository.Replace("app.js", "http.createServer", "console.log('cannot'); process.exit(); http.createServer");
        repository.Replace("worker.sh", "of-worker-1", "of-worker-2");
        var refused = await repository.TryPushAsync();

        Assert.False(refused.Status.Succeeded, refused.Error);
        Assert.Contains("cannot", refused.Error, StringComparison.Ordinal);
        await Browser.AssertSaysAsync(Browser.Http(repository.Host), "version 1");
        await RunsAsync("fixedport", "of-web-1", "of-worker-1");

        repository.Replace("app.js", "process.exit(); ", "");
        repository.Replace("app.js", "version = '1'", "version = '2'");
        await using var run = await ChildProcess.StartAsync(Piku.Client.Ssh("run", "fixedport", "tail -F $DATA_ROOT/of-run"));
        await RunsAsync("fixedport", "of-run", "of-web-1", "of-worker-1");
        await repository.PushAsync();

        await Browser.AssertSaysAsync(Browser.Http(repository.Host), "version 2");
        await RunsAsync("fixedport", "of-run", "of-web-2", "of-worker-2");

        await Piku.Client.CommandAsync("stop", "fixedport");
        await RunsAsync("fixedport", "of-run");
        await Piku.Client.CommandAsync("restart", "fixedport");
        await RunsAsync("fixedport", "of-run", "of-web-2", "of-worker-2");
        await Piku.Client.CommandAsync("destroy", "fixedport");
        await RunsAsync("fixedport");
    }

    [Fact]
    public async Task What_a_wsgi_module_a_release_and_a_run_start_goes_with_them()
    {
        const string module = """
            import os, subprocess
            subprocess.Popen(['tail', '-F', os.environ['DATA_ROOT'] + '/of-module-1'])
            subprocess.Popen(['node', '-e', 'console.log("said by node")'])
            def application(environ, start):
                start('200 OK', [])
                return [b'version 1']
            """;
        var repository = await Repository.WithFilesAsync(
            Piku.Client, "imported",
            ("Procfile", "wsgi: app:application\nrelease: setsid -f env -i tail -F $DATA_ROOT/of-release > /dev/null 2>&1; test ! -e fails\n"),
            ("requirements.txt", ""), ("app.py", module));
        repository.Write("ENV", $"NGINX_SERVER_NAME={repository.Host}\nUWSGI_PROCESSES=1\nPIKU_ZERO_DOWNTIME=false\n");
        await repository.PushAsync();
        await RunsAsync("imported", "of-module-1");
        Assert.Contains("said by node", string.Join('\n', await LogsAsync("imported", "wsgi", 20)), StringComparison.Ordinal);

        repository.Replace("app.py", "of-module-1", "of-module-2");
        await repository.PushAsync();
        await RunsAsync("imported", "of-module-2");

        await Piku.Client.CommandAsync("run", "imported", "setsid -f env -i tail -F $DATA_ROOT/of-run > /dev/null 2>&1");
        repository.Write("fails", "");
        Assert.False((await repository.TryPushAsync()).Status.Succeeded);
        await RunsAsync("imported", "of-module-2");

        await Piku.Client.CommandAsync("destroy", "imported");
        await RunsAsync("imported");
    }

    /// <summary>Waits until of all processes that name a file in the app's data these are there, each once, and no others.</summary>
    private async Task RunsAsync(string app, params string[] files)
    {
        var data = Piku.Paths.AppData(AppName.Parse(app)) + "/of-";
        await Eventually.TrueAsync(() => Named().SequenceEqual(files.Order(StringComparer.Ordinal)), explain: () => $"{app}: {string.Join(' ', Named())}, and not {string.Join(' ', files)}");

        IEnumerable<string> Named() => ProcessTable.Read().Where(process => !process.IsZombie)
            .Select(process => ProcessTable.CommandLine(process.Id))
            .Where(command => command.StartsWith("tail -F " + data, StringComparison.Ordinal))
            .Select(command => command[(command.LastIndexOf('/') + 1)..]).Order(StringComparer.Ordinal);
    }

    /// <summary>The last lines that are there.</summary>
    private async Task<IReadOnlyList<string>> LogsAsync(string app, string kind, int count)
    {
        var seen = "";
        var call = Piku.Client.Ssh("logs", app, kind) with
        {
            Output = (bytes, _) =>
            {
                seen += System.Text.Encoding.UTF8.GetString(bytes.Span);
                return ValueTask.CompletedTask;
            },
        };
        await using (await ChildProcess.StartAsync(call))
            await Eventually.TrueAsync(() => seen.Count(c => c == '\n') >= count, explain: () => seen);
        return seen.Split('\n')[..count];
    }
}
