using System.Collections.Immutable;

namespace Piku.Tests.EndToEnd;

/// <summary>A redeploy that nobody notices.</summary>
[NeedsMachine]
public sealed class ZeroDowntimeTests : IAsyncLifetime
{
    private const int Visits = 100, Redeploys = 20, RedeploysInShort = 2;

    private static readonly ImmutableDictionary<string, (string Path, string Text)[]> Apps = ImmutableDictionary.CreateRange<string, (string, string)[]>(
    [
        new("wsgi",
        [
            ("Procfile", "wsgi: app:application\n"),
            ("requirements.txt", ""),
            ("app.py", "def application(environ, start):\n    start('200 OK', [('Content-Type', 'text/plain')])\n    return [b'version 1']\n"),
        ]),
        new("web",
        [
            ("Procfile", "web: node app.js\n"),
            ("package.json", "{}\n"),
            ("app.js", "require('http').createServer((ask, answer) => answer.end('version 1')).listen(process.env.PORT, process.env.BIND_ADDRESS);\n"),
        ]),
        new("php",
        [
            ("Procfile", "php: public\n"),
            ("public/index.php", "<?php echo 'version 1';\n"),
        ]),
    ]);

    private PikuInstance _piku = null!;

    public async ValueTask InitializeAsync() => _piku = await PikuInstance.StartAsync();

    public async ValueTask DisposeAsync() => await _piku.DisposeAsync();

    [Theory]
    [InlineData("wsgi", "app.py")]
    [InlineData("web", "app.js")]
    [InlineData("php", "public/index.php")]
    public Task No_request_fails_while_an_app_is_deployed_again(string kind, string file) => RedeployUnderLoadAsync(kind, file, RedeploysInShort);

    [Theory(Explicit = true)]
    [InlineData("wsgi", "app.py")]
    [InlineData("web", "app.js")]
    [InlineData("php", "public/index.php")]
    public Task No_request_fails_in_twenty_redeploys(string kind, string file) => RedeployUnderLoadAsync(kind, file, Redeploys);

    private async Task RedeployUnderLoadAsync(string kind, string file, int times)
    {
        Assert.SkipWhen(kind == "php" && !File.Exists("/usr/lib/uwsgi/plugins/php_plugin.so"), "uWSGI's php plugin is not installed");
        var repository = await Repository.WithFilesAsync(_piku.Client, kind, Apps[kind]);
        repository.Write("ENV", $"NGINX_SERVER_NAME={repository.Host}\n");
        await repository.PushAsync();
        await using var visitors = new SteadyVisitors(_piku.HttpPort, repository.Host, Visits);
        visitors.Start();

        for (var version = 2; version <= times + 1; version++)
        {
            repository.Replace(file, $"version {version - 1}", $"version {version}");
            await repository.PushAsync();
        }
        await Eventually.TrueAsync(() => visitors.Answers.ContainsKey($"version {times + 1}"), explain: () => visitors.ToString());
        await _piku.Client.CommandAsync("restart", kind);
        await _piku.Client.CommandAsync("config:set", kind, "COLOUR=blue");
        await _piku.Client.CommandAsync("ps:scale", kind, $"{kind}=2");
        await visitors.StopAsync();

        TestContext.Current.TestOutputHelper!.WriteLine($"{visitors.Count} visits, the longest {visitors.Longest.TotalMilliseconds:0} ms");
        Assert.True(visitors.Failures.Count == 0, $"{visitors}\n{string.Join('\n', File.ReadLines(new Core.Services.NginxFiles(_piku.Paths).Log).TakeLast(20))}");
        Assert.Equal(times + 1, visitors.Answers.Count);
        Assert.Equal(kind == "web" ? 2 : 1, Directory.GetFiles(_piku.Paths.VassalsEnabled).Length);
    }
}
