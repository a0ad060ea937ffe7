using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Piku.Tests.Ssh;

/// <summary>What <c>ssh -L</c> and <c>ssh -W</c> get (RFC 4254, section 7.2).</summary>
[NeedsMachine]
public sealed class AForwardedConnection
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("localhost")]
    public async Task Carries_data_both_ways_and_ends_one_way_at_a_time(string host)
    {
        var data = new byte[20 * 1024 * 1024];
        new Random(3).NextBytes(data);
        using var listener = Listen();
        // The answer begins when the question has ended.
        var answering = Task.Run(async () =>
        {
            using var socket = await listener.AcceptSocketAsync(Cancel);
            await using var stream = new NetworkStream(socket);
            var hash = await SHA256.HashDataAsync(stream, Cancel);
            await stream.WriteAsync(hash, Cancel);
            await stream.WriteAsync(data, Cancel);
        }, Cancel);
        await using var server = await StartAsync();

        var result = await Programs.RunAsync("ssh", [.. server.SshArguments("-W", $"{host}:{Port(listener)}")], data);

        await answering;
        var answer = Encoding.Latin1.GetBytes(result.Output);
        Assert.Equal(SHA256.HashData(data), answer[..32]);
        Assert.True(data.AsSpan().SequenceEqual(answer.AsSpan(32)));
    }

    [Theory]
    [InlineData("example.org:80", "only ports of this machine")]
    [InlineData("10.0.0.1:80", "only ports of this machine")]
    [InlineData("0.0.0.0:80", "only ports of this machine")]
    [InlineData("127.0.0.1.example.org:80", "only ports of this machine")]
    [InlineData("[::ffff:10.0.0.1]:80", "only ports of this machine")]
    [InlineData("127.0.0.1:1", "nothing answers on port 1")]
    public async Task Is_refused_with_a_sentence(string target, string sentence)
    {
        await using var server = await StartAsync();

        var result = await Programs.RunAsync("ssh", [.. server.SshArguments("-v", "-W", target)]);

        Assert.Equal(255, result.ExitCode);
        Assert.Contains(sentence, result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("no-port-forwarding", false)]
    [InlineData("restrict", false)]
    [InlineData("restrict,port-forwarding", true)]
    [InlineData("permitopen=\"127.0.0.1:1\"", false)]
    [InlineData("permitopen=\"127.0.0.1:*\"", true)]
    public async Task Is_there_for_keys_that_may(string options, bool isAllowed)
    {
        using var listener = Listen();
        await using var server = await StartAsync();
        await File.WriteAllTextAsync(server.AuthorizedKeysFile, $"{options} {await File.ReadAllTextAsync(server.Key + ".pub", Cancel)}", Cancel);
        var accepting = listener.AcceptSocketAsync(Cancel).AsTask().ContinueWith(socket => socket.Result.Dispose(), Cancel, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);

        var result = await Programs.RunAsync("ssh", [.. server.SshArguments("-v", "-W", $"127.0.0.1:{Port(listener)}")]);

        Assert.Equal(isAllowed, accepting.IsCompletedSuccessfully);
        Assert.Equal(!isAllowed, result.Error.Contains("may not forward", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Waits_for_a_slow_reader_and_is_closed_with_its_client()
    {
        using var listener = Listen();
        await using var server = await StartAsync();
        using var ssh = Programs.Start("ssh", [.. server.SshArguments("-W", $"127.0.0.1:{Port(listener)}")]);
        using var socket = await listener.AcceptSocketAsync(Cancel);
        var sent = 0L;
        using (var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2)))
        {
            try
            {
                while (sent < 200_000_000)
                    sent += await socket.SendAsync(new byte[65536], patience.Token);
            }
            catch (OperationCanceledException)
            {
                // nobody takes more
            }
        }
        Assert.InRange(sent, 1, 50_000_000);

        ssh.Kill();

        await Assert.ThrowsAsync<SocketException>(async () =>
        {
            while (true)
                await socket.SendAsync(new byte[65536], Cancel);
        });
    }

    private static Task<TestServer> StartAsync() => TestServer.StartAsync((_, _) => Task.FromResult(0));

    private static TcpListener Listen()
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return listener;
    }

    private static int Port(TcpListener listener) => ((IPEndPoint)listener.LocalEndpoint).Port;
}
