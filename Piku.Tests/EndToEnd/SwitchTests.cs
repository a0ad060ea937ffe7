using Piku.Core.Model;

namespace Piku.Tests.EndToEnd;

/// <summary>From one version to the next: what is asked of the new one, and what the old one may still do.</summary>
[NeedsMachine]
public sealed class SwitchTests(RunningPiku shared) : IClassFixture<RunningPiku>
{
    private const string Web = """
        const http = require('http'), fs = require('fs');
        const version = '1';
        http.createServer((ask, answer) => {
          if (ask.url === '/health' && process.env.ILL) answer.statusCode = 503;
          const end = () => ask.url === '/slow' && !fs.existsSync(process.env.DATA_ROOT + '/enough') ? setTimeout(end, 20) : answer.end('version ' + version);
          end();
        }).listen(process.env.PORT, process.env.BIND_ADDRESS);
        """;

    private PikuInstance Piku => shared.Piku;

    private Browser Browser => shared.Browser;

    [Fact]
    public async Task The_version_before_finishes_the_requests_that_it_has_and_the_pusher_need_not_wait()
    {
        var repository = await WebAppAsync("finishing", "");
        await repository.PushAsync();
        var slow = Browser.GetAsync(Browser.Http(repository.Host, "/slow"));
        repository.Replace("app.js", "version = '1'", "version = '2'");

        await repository.PushAsync();

        Assert.False(slow.IsCompleted);
        await File.WriteAllTextAsync(Path.Combine(Piku.Paths.AppData(AppName.Parse(repository.App)), "enough"), "", TestContext.Current.CancellationToken);
        Assert.Equal((200, "version 1"), await slow);
        Assert.Equal((200, "version 2"), await Browser.GetAsync(Browser.Http(repository.Host)));
        await Piku.Client.CommandAsync("destroy", repository.App);
    }

    [Fact]
    public async Task A_version_that_is_not_healthy_is_refused_and_the_one_before_serves()
    {
        var repository = await WebAppAsync("healthy", "PIKU_HEALTH_PATH=/health\nPIKU_HEALTH_TIMEOUT=3\n");
        await repository.PushAsync();
        repository.Replace("app.js", "version = '1'", "version = '2'");
        repository.Write("ENV", $"NGINX_SERVER_NAME={repository.Host}\nPIKU_HEALTH_PATH=/health\nPIKU_HEALTH_TIMEOUT=3\nILL=1\n");

        var refused = await repository.TryPushAsync();

        Assert.False(refused.Status.Succeeded, refused.Error);
        Assert.Contains("answered GET /health with 503", refused.Error, StringComparison.Ordinal);
        Assert.Equal((200, "version 1"), await Browser.GetAsync(Browser.Http(repository.Host)));
        await Piku.Client.CommandAsync("destroy", repository.App);
    }

    [Fact]
    public async Task A_wsgi_app_is_asked_for_its_health_over_its_socket()
    {
        var repository = await Repository.WithFilesAsync(Piku.Client, "hearty", ("Procfile", "wsgi: app:application\n"), ("requirements.txt", ""), ("app.py",
            """
            def application(environ, start):
                start('500 No' if environ['PATH_INFO'] == '/health' and environ['QUERY_STRING'] == 'deep=1' else '200 OK', [])
                return [b'version 1']
            """));
        repository.Write("ENV", $"NGINX_SERVER_NAME={repository.Host}\nPIKU_HEALTH_PATH=/health\n");
        await repository.PushAsync();

        var refused = await Piku.Client.SshAsync("config:set", repository.App, "PIKU_HEALTH_PATH=/health?deep=1", "PIKU_HEALTH_TIMEOUT=2");

        Assert.False(refused.Status.Succeeded);
        Assert.Contains("answered GET /health?deep=1 with 500", refused.Output + refused.Error, StringComparison.Ordinal);
        Assert.Equal((200, "version 1"), await Browser.GetAsync(Browser.Http(repository.Host)));
        await Piku.Client.CommandAsync("destroy", repository.App);
    }

    [Fact]
    public async Task Workers_that_a_deploy_leaves_running_are_replaced_by_a_restart()
    {
        var repository = await WebAppAsync("patient", "PIKU_AUTO_RESTART=false\n");
        await repository.PushAsync();
        repository.Replace("app.js", "version = '1'", "version = '2'");
        await repository.PushAsync();
        Assert.Equal((200, "version 1"), await Browser.GetAsync(Browser.Http(repository.Host)));

        await Piku.Client.CommandAsync("restart", repository.App);

        Assert.Equal((200, "version 2"), await Browser.GetAsync(Browser.Http(repository.Host)));
        await Piku.Client.CommandAsync("destroy", repository.App);
    }

    [Theory]
    [InlineData("fixed", "PORT")]
    [InlineData("frugal", "PIKU_ZERO_DOWNTIME=false")]
    public async Task Where_there_is_no_room_for_two_the_new_version_takes_the_place_of_the_old(string app, string setting)
    {
        if (setting == "PORT")
            setting = $"PORT={Core.Machine.FreePorts.Find(1, new HashSet<int>())[0]}";
        var repository = await WebAppAsync(app, setting + "\n");
        await repository.PushAsync();
        for (var version = 2; version <= 3; version++)
        {
            repository.Replace("app.js", $"version = '{version - 1}'", $"version = '{version}'");
            await repository.PushAsync();
            await Browser.AssertSaysAsync(Browser.Http(repository.Host), $"version {version}");
        }

        Assert.Equal([$"{app}_web.1.ini"], Directory.GetFiles(Piku.Paths.VassalsEnabled, app + "_*").Select(Path.GetFileName));
        await Piku.Client.CommandAsync("destroy", repository.App);
    }

    private async Task<Repository> WebAppAsync(string app, string settings)
    {
        var repository = await Repository.WithFilesAsync(Piku.Client, app, ("Procfile", "web: node app.js\n"), ("package.json", "{}\n"), ("app.js", Web));
        repository.Write("ENV", $"NGINX_SERVER_NAME={repository.Host}\n{settings}");
        return repository;
    }
}
