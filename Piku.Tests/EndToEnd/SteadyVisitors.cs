using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Piku.Tests.EndToEnd;

/// <summary>
/// People who visit a site at a steady rate, whether or not it answers, each on a connection of their own, and count
/// what they get: the load that a redeploy must not be noticed under.
/// </summary>
/// <param name="port">nginx's, for http.</param>
/// <param name="host">The site's name.</param>
/// <param name="perSecond">Visits that begin in a second.</param>
internal sealed class SteadyVisitors(int port, string host, int perSecond) : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly CancellationTokenSource _over = new();
    private readonly ConcurrentDictionary<string, int> _answers = new();
    private readonly ConcurrentQueue<string> _failures = new();
    private Task _visiting = Task.CompletedTask;
    private long _longest;

    /// <summary>How often each answer came.</summary>
    public IReadOnlyDictionary<string, int> Answers => _answers;

    /// <summary>What else came, with the time.</summary>
    public IReadOnlyCollection<string> Failures => _failures;

    public TimeSpan Longest => TimeSpan.FromTicks(Interlocked.Read(ref _longest));

    public int Count => _answers.Values.Sum() + _failures.Count;

    public override string ToString() =>
        string.Join('\n', _answers.Select(answer => $"{answer.Value} {answer.Key}").Concat(_failures.Take(20)));

    public void Start() => _visiting = VisitAsync();

    /// <summary>Nobody comes any more; returns when everybody has left.</summary>
    public async Task StopAsync()
    {
        await _over.CancelAsync();
        await _visiting;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _over.Dispose();
    }

    private async Task VisitAsync()
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1.0 / perSecond));
        var visits = new List<Task>();
        while (!_over.IsCancellationRequested)
        {
            visits.Add(Task.Run(VisitOnceAsync));
            visits.RemoveAll(visit => visit.IsCompletedSuccessfully);
            await timer.WaitForNextTickAsync(CancellationToken.None);
        }
        await Task.WhenAll(visits);
    }

    private async Task VisitOnceAsync()
    {
        var clock = Stopwatch.StartNew();
        try
        {
            using var limit = new CancellationTokenSource(Pace.Scale(Patience));
            var answer = await GetAsync(limit.Token);
            if (answer.StartsWith("HTTP/1.1 200 ", StringComparison.Ordinal))
                _answers.AddOrUpdate(answer[(answer.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..].Trim(), 1, (_, count) => count + 1);
            else
                _failures.Enqueue($"{DateTime.UtcNow:HH:mm:ss.fff} {answer.Split('\r')[0]}");
        }
        catch (Exception failure) when (failure is SocketException or IOException or OperationCanceledException)
        {
            _failures.Enqueue($"{DateTime.UtcNow:HH:mm:ss.fff} {failure.Message}");
        }
        var took = clock.Elapsed.Ticks;
        for (var longest = Interlocked.Read(ref _longest); took > longest && Interlocked.CompareExchange(ref _longest, took, longest) != longest; longest = Interlocked.Read(ref _longest))
        {
        }
    }

    private async Task<string> GetAsync(CancellationToken cancel)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), cancel);
        await socket.SendAsync(Encoding.ASCII.GetBytes($"GET / HTTP/1.0\r\nHost: {host}\r\n\r\n"), cancel);
        using var reader = new StreamReader(new NetworkStream(socket), Encoding.UTF8);
        return await reader.ReadToEndAsync(cancel);
    }
}
