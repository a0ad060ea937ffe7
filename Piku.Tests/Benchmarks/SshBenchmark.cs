using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Piku.Server.Ssh;
using Piku.Tests.Ssh;

namespace Piku.Tests.Benchmarks;

/// <summary>
/// This server beside OpenSSH's sshd in one run, by the same client, in turns. Needs root and sshd. To run it:
/// <c>./test long -class Piku.Tests.Benchmarks.SshBenchmark</c>.
/// </summary>
[NeedsMachine]
public sealed class SshBenchmark
{
    private const int Samples = 40, Rounds = 3;
    private const long Transfer = 1L << 30;

    [Fact(Explicit = true)]
    public Task Connections_compared_with_sshd() => CompareAsync(async (server, us, them) =>
    {
        await MeasureConnectionsAsync(server, us, them);
        await MeasureParallelConnectionsAsync(server, us, them);
    });

    [Theory(Explicit = true)]
    [InlineData("chacha20-poly1305@openssh.com")]
    [InlineData("aes256-gcm@openssh.com")]
    [InlineData("aes128-gcm@openssh.com")]
    [InlineData("aes256-ctr", "-m hmac-sha2-256-etm@openssh.com")]
    [InlineData("aes128-ctr", "-m hmac-sha2-512-etm@openssh.com")]
    public Task Transfers_compared_with_sshd(string cipher, string mac = "") => CompareAsync(async (server, us, them) =>
    {
        await MeasureTransferAsync(server, us, them, cipher, mac, "down", $"head -c {Transfer} /dev/zero", "> /dev/null");
        await MeasureTransferAsync(server, us, them, cipher, mac, "up", "cat > /dev/null", $"< {LargeFile(server.Folder)}");
    });

    private static async Task CompareAsync(Func<TestServer, Side, Side, Task> measure)
    {
        await using var ours = await TestServer.StartAsync(HandleAsync);
        using var sshd = await Sshd.StartAsync(ours.Folder, ours.Key + ".pub");
        await measure(ours, new Side(ours.EndPoint.Port, OwnCpu), new Side(sshd.Port, sshd.Cpu));
    }

    private static async Task<int> HandleAsync(SshSession session, CancellationToken cancellationToken)
    {
        if (session.Command!.StartsWith("cat", StringComparison.Ordinal))
        {
            await session.Input.CopyToAsync(Stream.Null, cancellationToken);
        }
        else if (session.Command.StartsWith("head", StringComparison.Ordinal))
        {
            var zeros = new byte[64 * 1024];
            for (long sent = 0; sent < Transfer; sent += zeros.Length)
                await session.Output.WriteAsync(zeros, cancellationToken);
        }
        return 0;
    }

    private static async Task MeasureConnectionsAsync(TestServer server, Side us, Side them)
    {
        var times = new Dictionary<Side, List<double>> { [us] = [], [them] = [] };
        for (var i = -10; i < Samples; i++) // the first ten warm both up
        {
            foreach (var side in times.Keys)
            {
                var seconds = await RunAsync(server, side, "", "true");
                if (i >= 0)
                    times[side].Add(seconds);
            }
        }
        Report("ssh host true, median", "ms", Median(times[us]) * 1000, Median(times[them]) * 1000);
    }

    private static async Task MeasureParallelConnectionsAsync(TestServer server, Side us, Side them)
    {
        var rates = new List<double>();
        foreach (var side in new[] { us, them })
        {
            const int clients = 8, each = 12;
            var clock = Stopwatch.StartNew();
            await Task.WhenAll(Enumerable.Range(0, clients).Select(async _ =>
            {
                for (var i = 0; i < each; i++)
                    await RunAsync(server, side, "", "true");
            }));
            rates.Add(clients * each / clock.Elapsed.TotalSeconds);
        }
        Report("connections by 8 clients", "/s", rates[0], rates[1]);
    }

    private static async Task MeasureTransferAsync(
        TestServer server, Side us, Side them, string cipher, string mac, string direction, string command, string redirection)
    {
        var seconds = new Dictionary<Side, List<double>> { [us] = [], [them] = [] };
        var cpu = new Dictionary<Side, List<double>> { [us] = [], [them] = [] };
        for (var round = 0; round < Rounds; round++)
        {
            foreach (var side in seconds.Keys)
            {
                var before = side.Cpu();
                seconds[side].Add(await RunAsync(server, side, $"-c {cipher} {mac}", $"'{command}' {redirection}"));
                cpu[side].Add((side.Cpu() - before).TotalSeconds);
            }
        }
        Report($"{cipher} {direction}, 1 GiB", "MiB/s", 1024 / Median(seconds[us]), 1024 / Median(seconds[them]));
        Report($"{cipher} {direction}, server's CPU", "s/GiB", Median(cpu[us]), Median(cpu[them]));
    }

    private static async Task<double> RunAsync(TestServer server, Side side, string options, string command)
    {
        var clock = Stopwatch.StartNew();
        var result = await Programs.RunAsync("sh",
        [
            "-c",
            $"exec ssh -F none -p {side.Port} -i {server.Key} -o KexAlgorithms=curve25519-sha256 -o IdentitiesOnly=yes -o IdentityAgent=none "
            + "-o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR "
            + $"{options} root@127.0.0.1 {command}",
        ]);
        Assert.Equal(new ProgramResult(0, "", ""), result);
        return clock.Elapsed.TotalSeconds;
    }

    private static string LargeFile(string folder)
    {
        var path = Path.Combine(folder, "large");
        using var file = File.Create(path);
        file.SetLength(Transfer);
        return path;
    }

    private static TimeSpan OwnCpu()
    {
        using var process = Process.GetCurrentProcess();
        return process.TotalProcessorTime;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private static void Report(string what, string unit, double ours, double theirs) => TestContext.Current.TestOutputHelper!.WriteLine(
        string.Create(CultureInfo.InvariantCulture, $"{what,-50} ours {ours,8:F2}  sshd {theirs,8:F2} {unit,-6} ratio {ours / theirs:F2}"));

    private sealed record Side(int Port, Func<TimeSpan> Cpu);

    /// <summary>OpenSSH's server, on a port of its own.</summary>
    private sealed class Sshd(Process process, int port) : IDisposable
    {
        public int Port => port;

        public static async Task<Sshd> StartAsync(string folder, string publicKey)
        {
            Directory.CreateDirectory("/run/sshd");
            var hostKey = Path.Combine(folder, "sshd_host_key");
            await Programs.RunAsync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", hostKey]);
            var port = FreePort();
            var configuration = Path.Combine(folder, "sshd_config");
            await File.WriteAllLinesAsync(configuration,
            [
                $"Port {port}", "ListenAddress 127.0.0.1", $"HostKey {hostKey}", $"AuthorizedKeysFile {publicKey}", "PidFile none",
                "StrictModes no", "UsePAM no", "PermitRootLogin yes", "UseDNS no", "MaxStartups 100",
                "SetEnv HOME=/nonexistent", // no start-up file of a shell shall count against sshd
            ]);
            var process = Process.Start("/usr/sbin/sshd", ["-D", "-f", configuration]);
            await Wait.UntilAsync(() => Answers(port));
            return new Sshd(process, port);
        }

        /// <summary>Of the children that have ended, and theirs: fields cutime and cstime of proc(5), in ticks of 10 ms.</summary>
        public TimeSpan Cpu()
        {
            SpinWait.SpinUntil(() => File.ReadAllText($"/proc/{process.Id}/task/{process.Id}/children").Length == 0, Wait.Limit);
            var stat = File.ReadAllText($"/proc/{process.Id}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return TimeSpan.FromMilliseconds(10 * (long.Parse(fields[13], CultureInfo.InvariantCulture) + long.Parse(fields[14], CultureInfo.InvariantCulture)));
        }

        public void Dispose()
        {
            process.Kill();
            process.WaitForExit();
            process.Dispose();
        }

        private static int FreePort()
        {
            using var listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            return ((IPEndPoint)listener.LocalEndpoint).Port;
        }

        private static bool Answers(int port)
        {
            try
            {
                using var client = new TcpClient("127.0.0.1", port);
                return true;
            }
            catch (SocketException)
            {
                return false;
            }
        }
    }
}
