using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Piku.Core.Services;

/// <summary>
/// Asks a worker for a page as nginx would: by HTTP at a TCP port, by the uwsgi protocol at a Unix socket (uwsgi-docs,
/// "The uwsgi Protocol", packet 0).
/// </summary>
/// <param name="path">Of the page, with its query if it has one.</param>
/// <param name="host">The site's name, which the app may insist on.</param>
public sealed class HealthCheck(string path, string host, TimeProvider clock)
{
    /// <summary>An answer below it is good: also a redirect, to a page for logging in.</summary>
    private const int FirstError = 400;

    /// <summary>Of a status line; the rest of the answer is nobody's business.</summary>
    private const int MostBytes = 1024;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <summary>Asks until the answer is good or the time is over.</summary>
    /// <returns>What is wrong, as the end of a sentence, or null.</returns>
    public async Task<string?> ProblemAsync(EndPoint worker, TimeSpan within, CancellationToken cancellationToken)
    {
        var start = clock.GetTimestamp();
        while (true)
        {
            var left = within - clock.GetElapsedTime(start);
            var problem = await TryAsync(worker, left > Pause ? left : Pause, cancellationToken);
            if (problem is null || clock.GetElapsedTime(start) >= within)
                return problem;
            await Task.Delay(Pause, clock, cancellationToken);
        }
    }

    private async Task<string?> TryAsync(EndPoint worker, TimeSpan patience, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(patience);
        try
        {
            return await StatusAsync(worker, limit.Token) is not { } status ? $"answered GET {path} with what is no HTTP"
                : status < FirstError ? null
                : $"answered GET {path} with {status}";
        }
        catch (Exception silent) when (silent is SocketException or IOException)
        {
            return $"gave no answer to GET {path}";
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return $"gave no answer to GET {path} in time";
        }
    }

    private async Task<int?> StatusAsync(EndPoint worker, CancellationToken cancellationToken)
    {
        var isUnix = worker is UnixDomainSocketEndPoint;
        using var socket = new Socket(worker.AddressFamily, SocketType.Stream, isUnix ? ProtocolType.Unspecified : ProtocolType.Tcp);
        await socket.ConnectAsync(worker, cancellationToken);
        await socket.SendAsync(isUnix ? UwsgiRequest() : HttpRequest(), cancellationToken);
        var answer = new byte[MostBytes];
        var length = 0;
        while (length < answer.Length && !answer.AsSpan(0, length).Contains((byte)'\n')
            && await socket.ReceiveAsync(answer.AsMemory(length), cancellationToken) is > 0 and var count)
            length += count;
        // HTTP/1.1 200 OK
        return Encoding.ASCII.GetString(answer, 0, length).Split(' ', 3) is [var version, var status, _] && version.StartsWith("HTTP/", StringComparison.Ordinal)
            && int.TryParse(status, NumberStyles.None, CultureInfo.InvariantCulture, out var code)
            ? code
            : null;
    }

    private byte[] HttpRequest() => Encoding.ASCII.GetBytes(
        $"GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: piku\r\nX-Forwarded-Proto: https\r\nAccept: */*\r\nConnection: close\r\n\r\n");

    private byte[] UwsgiRequest()
    {
        var parts = path.Split('?', 2);
        KeyValuePair<string, string>[] variables =
        [
            new("REQUEST_METHOD", "GET"), new("REQUEST_URI", path), new("PATH_INFO", Uri.UnescapeDataString(parts[0])), new("QUERY_STRING", parts.ElementAtOrDefault(1) ?? ""),
            new("SERVER_PROTOCOL", "HTTP/1.1"), new("SERVER_NAME", host), new("SERVER_PORT", "443"), new("HTTP_HOST", host), new("HTTP_USER_AGENT", "piku"),
            new("HTTP_X_FORWARDED_PROTO", "https"), new("REMOTE_ADDR", "127.0.0.1"), new("CONTENT_TYPE", ""), new("CONTENT_LENGTH", ""),
        ];
        var body = variables.SelectMany(variable => Counted(variable.Key).Concat(Counted(variable.Value))).ToArray();
        var packet = new byte[4 + body.Length];
        BinaryPrimitives.WriteUInt16LittleEndian(packet.AsSpan(1), (ushort)body.Length);
        body.CopyTo(packet, 4);
        return packet;
    }

    private static IEnumerable<byte> Counted(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        return [(byte)bytes.Length, (byte)(bytes.Length >> 8), .. bytes];
    }
}
