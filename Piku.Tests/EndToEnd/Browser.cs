using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace Piku.Tests.EndToEnd;

/// <summary>Asks an instance for pages by host name; every name leads to this machine.</summary>
public sealed class Browser : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private readonly PikuInstance _instance;
    private readonly HttpClient _http;

    public Browser(PikuInstance instance)
    {
        _instance = instance;
        _http = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            PooledConnectionLifetime = TimeSpan.Zero,
            ConnectCallback = async (context, cancel) =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                await socket.ConnectAsync(IPAddress.Loopback, context.DnsEndPoint.Port, cancel);
                return new NetworkStream(socket, ownsSocket: true);
            },
            SslOptions = new SslClientAuthenticationOptions
            {
                // Self-signed: the name must still be right.
                RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
                    certificate is X509Certificate2 && !errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch),
            },
        })
        { Timeout = Pace.Scale(Patience) };
    }

    public void Dispose() => _http.Dispose();

    public Uri Http(string host, string path = "/") => new($"http://{host}:{_instance.HttpPort}{path}");

    public Uri Https(string host, string path = "/") => new($"https://{host}:{_instance.HttpsPort}{path}");

    public async Task<(int Status, string Body)> GetAsync(Uri address)
    {
        using var response = await _http.GetAsync(address, TestContext.Current.CancellationToken);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    /// <summary>Waits until a page says something.</summary>
    public async Task AssertSaysAsync(Uri address, string text)
    {
        var last = "";
        await Eventually.TrueAsync(
            async () =>
            {
                try
                {
                    var (status, body) = await GetAsync(address);
                    last = $"{status} {body}";
                    return status == 200 && body.Contains(text, StringComparison.Ordinal);
                }
                catch (HttpRequestException refused)
                {
                    last = refused.Message;
                    return false;
                }
            },
            Patience, () => $"{address} does not say '{text}' but: {last}");
    }

    /// <summary>Asserts that no page of a host is served any more.</summary>
    public async Task AssertGoneAsync(string host)
    {
        try
        {
            Assert.NotEqual(200, (await GetAsync(Http(host))).Status);
        }
        catch (HttpRequestException)
        {
            // Not even an answer: as gone as can be.
        }
    }
}
