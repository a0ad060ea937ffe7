using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace Piku.Tests.EndToEnd;

/// <summary>What goes wrong says what it is and what to do, where the one who pushes reads it.</summary>
[NeedsMachine]
public sealed partial class TeachingTests(RunningPiku shared) : IClassFixture<RunningPiku>, IDisposable
{
    private const string Server = "import http.server, os\nhttp.server.HTTPServer(('127.0.0.1', int(os.environ['PORT'])), http.server.SimpleHTTPRequestHandler).serve_forever()\n";

    private readonly List<string> _folders = [];

    private Client Client => shared.Piku.Client;

    public void Dispose() => _folders.ForEach(folder => Directory.Delete(folder, recursive: true));

    [Theory]
    [InlineData("README", "x", "'taught' has no Procfile: add a file named Procfile with a line such as 'web: node server.js'")]
    [InlineData("procfile", "web: ./serve\n", "'taught' has a file 'procfile', and no Procfile: rename it ('git mv procfile Procfile')")]
    [InlineData("Procfile", "web: ./serve\n", "nothing was built: there is no requirements.txt, package.json, go.mod or other file that tells piku how")]
    [InlineData("Procfile", "# web: x\n", "Procfile")]
    [InlineData("Pipfile", "[packages]\n", "piku does not read Pipfile: run 'pipenv requirements > requirements.txt'")]
    [InlineData("ENV", "A=1\nB-AD=2\n", "ENV line 2: this is not the name of a variable")]
    [InlineData("SCALING", "cron:2\n", "SCALING in the repository: 'cron' is a schedule, which runs its command once at each of its times")]
    [InlineData("shard.yml", "name: x\n", "The app looks like Crystal, but 'shards' is not installed (apt install crystal).")]
    [InlineData("Dockerfile", "FROM scratch\n", "piku does not build containers: instead of the Dockerfile add")]
    public async Task What_cannot_be_built_is_refused_with_what_to_do(string file, string text, string sentence)
    {
        (string, string)[] files = file.Equals("Procfile", StringComparison.OrdinalIgnoreCase) || file is "README" ? [(file, text)] : [(file, text), ("Procfile", "web: ./serve\n")];
        var repository = await CreateAsync("taught", files);
        var refused = await repository.TryPushAsync();
        Assert.False(refused.Status.Succeeded);
        Assert.Contains(sentence, refused.Error, StringComparison.Ordinal);
        Assert.Equal("", await repository.RemoteHeadAsync());
    }

    [Fact]
    public async Task An_app_without_a_host_name_is_told_where_it_answers()
    {
        var repository = await CreateAsync("nameless", ("Procfile", "web: python3 server.py\n"), ("package.json", "{}"), ("server.py", Server));
        var said = await repository.PushAsync();
        Assert.Contains("App 'nameless' answers at http://127.0.0.1:", said, StringComparison.Ordinal);
        Assert.Contains("NGINX_SERVER_NAME", said, StringComparison.Ordinal);
        using var http = new HttpClient();
        Assert.Contains("server.py", await http.GetStringAsync(new Uri(Address().Match(said).Value), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        await Client.CommandAsync("destroy", "nameless");
    }

    [Fact]
    public async Task A_port_in_use_is_refused_and_names_who_has_it()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;
        var repository = await CreateAsync("crowded", ("Procfile", "web: python3 server.py\n"), ("package.json", "{}"), ("server.py", Server), ("ENV", $"PORT={port}\n"));
        var refused = await repository.TryPushAsync();
        Assert.False(refused.Status.Succeeded);
        Assert.Contains($"Port {port} is in use by another program of this machine: set PORT to another one, or leave it out", refused.Error, StringComparison.Ordinal);

        other.Stop();
        await repository.PushAsync();
        // Its own port is no obstacle.
        await Client.CommandAsync("deploy", "crowded");
        var second = await CreateAsync("crowding", ("Procfile", "web: python3 server.py\n"), ("package.json", "{}"), ("server.py", Server), ("ENV", $"PORT={port}\n"));
        Assert.Contains($"Port {port} is in use by the app 'crowded'", (await second.TryPushAsync()).Error, StringComparison.Ordinal);
        await Client.CommandAsync("destroy", "crowded");
    }

    [Fact]
    public async Task A_host_name_of_another_app_is_taken_in_whatever_case_it_is_written()
    {
        var repository = await CreateAsync("owner", ("Procfile", "static: .\n"), ("ENV", "NGINX_SERVER_NAME=taken.localhost,Shop.localhost\n"));
        await repository.PushAsync();
        var second = await CreateAsync("copycat", ("Procfile", "static: .\n"), ("ENV", "NGINX_SERVER_NAME=free.localhost sHOP.LocalHost\n"));
        var refused = await second.TryPushAsync();
        Assert.False(refused.Status.Succeeded);
        Assert.Contains("The host name 'sHOP.LocalHost' belongs to the app 'owner' already; change NGINX_SERVER_NAME of one of them.", refused.Error, StringComparison.Ordinal);
        await Client.CommandAsync("destroy", "owner");
    }

    [Fact]
    public async Task A_misspelt_setting_gets_a_hint_once_and_help_has_all_settings()
    {
        var repository = await CreateAsync("misspelt", ("Procfile", "worker: sleep 1000\n"), ("package.json", "{}"), ("ENV", "NGINX_SERVERNAME=a.localhost\nUWSGI_LISTENN=5\n"));
        var said = await repository.PushAsync();
        Assert.Single(Regex.Matches(said, "Warning: NGINX_SERVERNAME is not a setting: did you mean NGINX_SERVER_NAME\\?"));
        Assert.Single(Regex.Matches(said, "Warning: UWSGI_LISTENN is not a setting: did you mean UWSGI_LISTEN\\?"));
        await Client.CommandAsync("destroy", "misspelt");

        Assert.Contains("\n  UWSGI_LISTEN (a number from 1 to 65535, default 48)\n", await Client.CommandAsync("help", "settings"), StringComparison.Ordinal);
        var nginx = await Client.CommandAsync("help", "settings", "Nginx");
        Assert.Contains("\n  NGINX_CATCH_ALL (", nginx, StringComparison.Ordinal);
        Assert.DoesNotContain("UWSGI_", nginx, StringComparison.Ordinal);
        var nothing = await Client.SshAsync("help", "settings", "xyzzy");
        Assert.Equal((2, "Error: no setting is about 'xyzzy'; 'help settings' lists all.\n"), (nothing.Status.Code, nothing.Error));
        Assert.Contains("Usage: ps:scale APP KIND=COUNT...", await Client.CommandAsync("help", "ps:scale"), StringComparison.Ordinal);
        Assert.Contains("did you mean 'logs'?", (await Client.SshAsync("lgos", "misspelt")).Error, StringComparison.Ordinal);
        Assert.Equal(2, (await Client.SshAsync("help", "logs", "more")).Status.Code);
    }

    private async Task<Repository> CreateAsync(string app, params (string, string)[] files)
    {
        var repository = await Repository.WithFilesAsync(Client, app, files);
        _folders.Add(repository.Folder);
        return repository;
    }

    [GeneratedRegex(@"http://127\.0\.0\.1:\d+")]
    private static partial Regex Address();
}
