using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Tests.EndToEnd;

/// <summary>Apps that limit themselves, where piku was given no control groups.</summary>
[NeedsMachine]
public sealed class LimitTests(RunningPiku shared) : IClassFixture<RunningPiku>
{
    /// <summary>uWSGI replaces no worker that is younger than a minute, unless it is told to; after two within two seconds it pauses.</summary>
    private static readonly (string, string) YoungIsOldEnough = ("uwsgi.include", "min-worker-lifetime = 3\n");

    private const string Greedy =
        """
        import os
        kept = []
        def application(environ, start):
            start('200 OK', [('Content-Type', 'text/plain')])
            try:
                if environ['PATH_INFO'] == '/keep':
                    kept.append(os.urandom(int(environ['QUERY_STRING']) << 20))
                return [b'process %d' % os.getpid()]
            except MemoryError:
                return [b'no more']
        """;

    [Fact]
    public async Task A_process_gets_no_more_memory_than_it_may_and_is_replaced_when_it_has_grown()
    {
        var repository = await PushedAsync(
            "greedy", "wsgi: app:application", "PIKU_MEMORY_LIMIT=64\nUWSGI_PROCESSES=1\nUWSGI_INCLUDE_FILE=uwsgi.include\n", ("app.py", Greedy), YoungIsOldEnough);
        var first = await AskAsync(repository, "/");

        Assert.Equal("no more", await AskAsync(repository, "/keep?200"));
        Assert.Equal(first, await AskAsync(repository, "/"));
        Assert.Equal(first, await AskAsync(repository, "/keep?60"));
        await Eventually.TrueAsync(async () => await AskAsync(repository, "/") != first, TimeSpan.FromSeconds(10), () => "the process that had grown is still there");
        await DestroyAsync(repository);
    }

    [Fact]
    public async Task A_worker_whose_requests_are_used_up_is_replaced_at_once_and_its_ends_are_called()
    {
        var repository = await PushedAsync(
            "mortal", "wsgi: app:application", "UWSGI_MAX_REQUESTS=150\nUWSGI_PROCESSES=1\nUWSGI_INCLUDE_FILE=uwsgi.include\n", YoungIsOldEnough,
            ("app.py",
            """
            import atexit, os
            atexit.register(lambda: open(os.environ['DATA_ROOT'] + '/ended', 'a').write('%d\n' % os.getpid()))
            def application(environ, start):
                start('200 OK', [('Content-Type', 'text/plain')])
                return [b'%d' % os.getpid()]
            """));
        await using var visitors = new SteadyVisitors(shared.Piku.HttpPort, repository.Host, perSecond: 50);
        visitors.Start();
        await Eventually.TrueAsync(() => visitors.Answers.Count >= 3, TimeSpan.FromSeconds(40), () => $"too few workers have answered: {visitors}");
        await visitors.StopAsync();
        // One that a thread has just taken when another ends the worker is lost, now and then (decision 20).
        Assert.InRange(visitors.Failures.Count, 0, visitors.Count / 10);
        // A worker that does not end is killed after a minute (worker-reload-mercy), and its visitors wait as long.
        Assert.InRange(visitors.Longest, TimeSpan.Zero, TimeSpan.FromSeconds(55));
        await SshAsync("stop", repository.App);
        var last = visitors.Answers.Keys;
        var ended = Path.Combine(shared.Piku.Paths.AppData(AppName.Parse(repository.App)), "ended");
        await Eventually.TrueAsync(() => File.Exists(ended) && File.ReadAllLines(ended).Intersect(last).Any(), TimeSpan.FromSeconds(10), () => "no worker has called what the app has registered for its end");
        await DestroyAsync(repository);
    }

    [Fact]
    public async Task An_app_that_does_not_start_with_what_it_may_have_is_refused_and_the_log_is_shown()
    {
        var repository = await PushedAsync("cramped", "wsgi: app:application", "PIKU_MEMORY_LIMIT=64\n", ("app.py", Greedy));
        var before = await AskAsync(repository, "/");
        repository.Write("app.py", "big = bytearray(300 << 20)\n" + Greedy);
        var push = await repository.TryPushAsync();
        Assert.False(push.Status.Succeeded);
        Assert.Contains("MemoryError", push.Error, StringComparison.Ordinal);
        Assert.StartsWith("process ", before, StringComparison.Ordinal);
        Assert.StartsWith("process ", await AskAsync(repository, "/"), StringComparison.Ordinal);
        await DestroyAsync(repository);
    }

    [Fact]
    public async Task A_limit_comes_and_goes_with_the_setting_also_where_workers_restart_in_place()
    {
        var repository = await PushedAsync("measured", "worker: exec sleep 1000", "PIKU_CPU_LIMIT=0.5\n");
        Assert.Equal("unlimited", await LimitAsync(repository));
        Assert.Contains("PIKU_CPU_LIMIT has no effect", await SshAsync("deploy", repository.App), StringComparison.Ordinal);

        await SshAsync("config:set", repository.App, "PIKU_MEMORY_LIMIT=100");
        Assert.Equal($"{164 << 20}", await LimitAsync(repository));

        await SshAsync("config:set", repository.App, "PIKU_MEMORY_LIMIT=200");
        Assert.Equal($"{264 << 20}", await LimitAsync(repository));

        await SshAsync("config:unset", repository.App, "PIKU_MEMORY_LIMIT");
        Assert.Equal("unlimited", await LimitAsync(repository));
        await DestroyAsync(repository);
    }

    [Fact]
    public async Task Answers_kept_for_an_app_go_when_it_asks_for_none_any_more()
    {
        var repository = await PushedAsync("caching", "wsgi: app:application", "NGINX_CACHE_PREFIXES=/\n", ("app.py", Greedy));
        var kept = shared.Piku.Paths.AppCache(AppName.Parse(repository.App));
        await AskAsync(repository, "/");
        await Eventually.TrueAsync(() => Directory.EnumerateFiles(kept, "*", SearchOption.AllDirectories).Any(), TimeSpan.FromSeconds(10));

        repository.Write("ENV", $"NGINX_SERVER_NAME={repository.Host}\n");
        await repository.PushAsync();

        // The pusher need not wait for it.
        await Eventually.TrueAsync(() => !Directory.Exists(kept), TimeSpan.FromSeconds(20));
        await DestroyAsync(repository);
    }

    private async Task<Repository> PushedAsync(string app, string procfile, string env, params (string Path, string Text)[] files)
    {
        var repository = await Repository.WithFilesAsync(shared.Piku.Client, app, [("Procfile", procfile), ("requirements.txt", ""), .. files]);
        repository.Write("ENV", $"NGINX_SERVER_NAME={repository.Host}\n{env}");
        await repository.PushAsync();
        return repository;
    }

    private async Task<string> AskAsync(Repository repository, string address) =>
        (await shared.Browser.GetAsync(shared.Browser.Http(repository.Host, address))).Body;

    private async Task<string> LimitAsync(Repository repository)
    {
        var worker = shared.Piku.Processes().Concat(ProcessTable.TreeOf(shared.Piku.ProcessId))
            .Distinct().Single(process => ProcessTable.CommandLine(process).StartsWith("sleep 1000", StringComparison.Ordinal) && ProcessTable.WasStartedWith(process, "APP", repository.App));
        var line = (await File.ReadAllLinesAsync($"/proc/{worker}/limits")).Single(line => line.StartsWith("Max data size", StringComparison.Ordinal));
        return line["Max data size".Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0];
    }

    private Task<string> SshAsync(params string[] words) => shared.Piku.Client.CommandAsync(words);

    private Task DestroyAsync(Repository repository) => SshAsync("destroy", repository.App);
}
