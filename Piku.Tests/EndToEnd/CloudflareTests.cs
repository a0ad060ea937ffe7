using System.Net;
using System.Net.Sockets;
using Piku.Tests.Services;

namespace Piku.Tests.EndToEnd;

[NeedsMachine]
public sealed class CloudflareTests
{
    private const string List = """{"result":{"ipv4_cidrs":["173.245.48.0/20","127.0.0.3/32"],"ipv6_cidrs":["2400:cb00::/32"]},"success":true}""";

    [Fact]
    public async Task Only_Cloudflare_this_machine_and_who_deploys_reach_the_app()
    {
        using var cloudflare = new ListServer(List);
        await using var piku = await PikuInstance.StartAsync(instance =>
        {
            instance.Environment = instance.Environment.With("PIKU_CLOUDFLARE_URL", cloudflare.Address.ToString());
            return Task.CompletedTask;
        });
        var repository = await Repository.WithFilesAsync(piku.Client, "guarded", ("Procfile", "wsgi: app:app\n"), ("package.json", "{}"), ("files/a.txt", "a file"),
            ("app.py", "def app(e, s):\n    s('200 OK', [])\n    return [' '.join([e['REMOTE_ADDR'], e['HTTP_X_FORWARDED_FOR'], e['HTTP_CF_CONNECTING_IP']]).encode()]\n"));
        repository.Write("ENV", $"NGINX_SERVER_NAME={repository.Host}\nNGINX_CLOUDFLARE_ACL=true\nNGINX_STATIC_PATHS=/files:files\nNGINX_CACHE_PREFIXES=/kept\n");
        await repository.PushAsync();

        Assert.Equal(1, cloudflare.Requests);
        Assert.Equal(["allow 173.245.48.0/20;", "allow 127.0.0.3/32;", "allow 2400:cb00::/32;", "allow 127.0.0.1;", "allow 127.0.0.1;", "deny all;"], Access(piku));
        foreach (var path in (string[])["/", "/kept/x", "/files/a.txt"])
        {
            Assert.Equal(200, await StatusAsync(piku, repository.Host, "127.0.0.1", path));
            Assert.Equal(403, await StatusAsync(piku, repository.Host, "127.0.0.2", path));
        }
        // Only Cloudflare is believed whose request it is.
        Assert.Equal("203.0.113.7 203.0.113.7 203.0.113.7", await AskAsync(piku, repository.Host, "127.0.0.3"));
        Assert.Equal("127.0.0.1 127.0.0.1 127.0.0.1", await AskAsync(piku, repository.Host, "127.0.0.1"));
        var site = await Repository.WithFilesAsync(piku.Client, "pages", ("Procfile", "static: .\n"), ("index.html", "home"), ("ENV", "NGINX_SERVER_NAME=pages.localhost\nNGINX_CLOUDFLARE_ACL=true\n"));
        await site.PushAsync();
        Assert.Equal((200, 403), (await StatusAsync(piku, site.Host, "127.0.0.1"), await StatusAsync(piku, site.Host, "127.0.0.2")));

        cloudflare.Dispose();
        repository.Write("app.txt", "another version");
        Assert.Contains($"could not be fetched (no connection to {cloudflare.Address.Authority}); the last ones known", await repository.PushAsync(), StringComparison.Ordinal);
        Assert.Equal(403, await StatusAsync(piku, repository.Host, "127.0.0.2"));

        // Without any list the app would be open to everybody, or to nobody: it stays as it is.
        File.Delete(piku.Paths.CloudflareNetworks);
        repository.Write("app.txt", "a third version");
        var refused = await repository.TryPushAsync();
        Assert.False(refused.Status.Succeeded);
        Assert.Contains("NGINX_CLOUDFLARE_ACL is on, and Cloudflare's networks cannot be fetched (no connection", refused.Error, StringComparison.Ordinal);
        Assert.Equal((200, 403), (await StatusAsync(piku, repository.Host, "127.0.0.1"), await StatusAsync(piku, repository.Host, "127.0.0.2")));
    }

    private static IEnumerable<string> Access(PikuInstance piku) => File.ReadAllLines(Path.Combine(piku.Paths.NginxRoot, "guarded.conf"))
        .Select(line => line.Trim()).Where(line => line.StartsWith("allow ", StringComparison.Ordinal) || line == "deny all;")
        .SkipWhile(line => line is "allow all;").Take(6);

    /// <summary>Every address that begins with 127 is this machine's, and nginx tells them apart.</summary>
    private static async Task<int> StatusAsync(PikuInstance piku, string host, string from, string path = "/") => (await GetAsync(piku, host, from, path)).Status;

    private static async Task<string> AskAsync(PikuInstance piku, string host, string from) => (await GetAsync(piku, host, from, "/")).Body;

    private static async Task<(int Status, string Body)> GetAsync(PikuInstance piku, string host, string from, string path)
    {
        using var http = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancel) =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                socket.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
                await socket.ConnectAsync(IPAddress.Loopback, piku.HttpPort, cancel);
                return new NetworkStream(socket, ownsSocket: true);
            },
        });
        http.DefaultRequestHeaders.Add("CF-Connecting-IP", "203.0.113.7");
        using var response = await http.GetAsync(new Uri($"http://{host}:{piku.HttpPort}{path}"), TestContext.Current.CancellationToken);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }
}
