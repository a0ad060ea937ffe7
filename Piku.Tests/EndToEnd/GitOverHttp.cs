using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Piku.Tests.EndToEnd;

/// <summary>
/// Serves a folder of bare repositories as files, which git calls dumb http (gitprotocol-http(5)); and fails as servers do.
/// </summary>
internal sealed class GitOverHttp : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly string _folder;
    private readonly CancellationTokenSource _over = new();

    public GitOverHttp(string folder)
    {
        _folder = folder;
        _listener.Start();
        _ = AcceptAsync();
    }

    /// <summary>Null serves files; another is the status of every answer, of which 0 is silence.</summary>
    public int? Status { get; set; }

    /// <summary>How many have asked for something.</summary>
    public int Asked { get; private set; }

    public string Address(string repository) => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/{repository}";

    public void Dispose()
    {
        _over.Cancel();
        _listener.Dispose();
        _over.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = AnswerAsync(await _listener.AcceptTcpClientAsync(_over.Token));
        }
        catch (Exception over) when (over is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task AnswerAsync(TcpClient client)
    {
        using var closing = client;
        try
        {
            await using var stream = client.GetStream();
            using var reader = new StreamReader(stream, Encoding.ASCII);
            var path = (await reader.ReadLineAsync(_over.Token) ?? "").Split(' ').ElementAtOrDefault(1) ?? "";
            while (await reader.ReadLineAsync(_over.Token) is { Length: > 0 })
            {
                // Nothing of the header matters.
            }
            Asked++;
            if (Status is 0)
                await Task.Delay(Timeout.Infinite, _over.Token);
            var file = Path.Combine(_folder, Uri.UnescapeDataString(path.Split('?')[0]).TrimStart('/'));
            var status = Status ?? (File.Exists(file) ? 200 : 404);
            var body = status == 200 ? await File.ReadAllBytesAsync(file, _over.Token) : [];
            var realm = status == 401 ? "WWW-Authenticate: Basic realm=\"git\"\r\n" : "";
            await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {status} So\r\n{realm}Content-Length: {body.Length}\r\nConnection: close\r\n\r\n"), _over.Token);
            await stream.WriteAsync(body, _over.Token);
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException or SocketException)
        {
            // Whoever asked has lost patience.
        }
    }
}
