using System.Net;
using System.Net.Sockets;
using Piku.Tests.Services;

namespace Piku.Tests.EndToEnd;

[NeedsMachine]
public sealed class CloudflareTests
{
    private const string List = """{"result":{"ipv4_cidrs":["173.245.48.0/20"],"ipv6_cidrs":["2400:cb00::/32"]},"success":true}""";

    [Fact]
    public async Task Only_Cloudflare_this_machine_and_who_deploys_reach_the_app()
    {
        using var cloudflare = new ListServer(List);
        await using var piku = await PikuInstance.StartAsync(instance =>
        {
            instance.Environment = instance.Environment.With("PIKU_CLOUDFLARE_URL", cloudflare.Address.ToString());
            return Task.CompletedTask;
        });
        var repository = await Repository.FromExampleAsync(piku.Client, "python-wsgi", "guarded");
        repository.Write("ENV", $"NGINX_SERVER_NAME={repository.Host}\nGREETING=hi\nNGINX_CLOUDFLARE_ACL=true\n");
        await repository.PushAsync();

        Assert.Equal(1, cloudflare.Requests);
        Assert.Equal(["allow 173.245.48.0/20;", "allow 2400:cb00::/32;", "allow 127.0.0.1;", "allow 127.0.0.1;", "deny all;"], Access(piku));
        Assert.Equal(200, await StatusAsync(piku, repository.Host, "127.0.0.1"));
        Assert.Equal(403, await StatusAsync(piku, repository.Host, "127.0.0.2"));

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
        .SkipWhile(line => line is "allow all;" or "deny all;");

    /// <summary>Every address that begins with 127 is this machine's, and nginx tells them apart.</summary>
    private static async Task<int> StatusAsync(PikuInstance piku, string host, string from)
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
        using var response = await http.GetAsync(new Uri($"http://{host}:{piku.HttpPort}/"), TestContext.Current.CancellationToken);
        return (int)response.StatusCode;
    }
}
