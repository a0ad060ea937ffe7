using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Piku.Core.Formats;
using Piku.Core.Machine;
using Piku.Tests.EndToEnd;

namespace Piku.Tests.Interop;

/// <summary>What each client in <see cref="SshClients"/> gets from a daemon.</summary>
[NeedsMachine]
[Collection(nameof(InteropInstances))]
public sealed class EveryClient(InteropInstances instances) : IDisposable
{
    private const int Megabyte = 1 << 20, Large = 10 * Megabyte;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public static TheoryData<string> WithCommands() => Named(client => client.Start is not null);

    public static TheoryData<string> WithNewKeys() => Named(client => client.Start is not null && client.ChangesKeys);

    public static TheoryData<string> WithSftp() => Named(client => client.Sftp is not null);

    public static TheoryData<string> WithGit() => Named(client => client.Git is not null || client.Start is not null);

    public static TheoryData<string> WithListening() => Named(client => client.Listens);

    public static TheoryData<string, string> WithOlderAlgorithms() =>
        [.. SshClients.All.Where(client => client.Older is not null).SelectMany(client => (string[])["ecdsa", "rsa"], (client, type) => (client.Name, type))];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(WithCommands))]
    public async Task Runs_a_command_and_gets_its_output_error_and_exit_status(string name)
    {
        var client = SshClients.Find(name);
        await AssertRunsAsync(client, instances.LoginFor(client));
    }

    [Theory]
    [MemberData(nameof(WithOlderAlgorithms))]
    public async Task Comes_in_with_the_algorithms_and_keys_of_older_ones(string name, string keyType)
    {
        var client = SshClients.Find(name);
        await AssertRunsAsync(client, instances.OlderLogin(keyType), client.Older!);
    }

    [Theory]
    [MemberData(nameof(WithCommands))]
    public async Task Sends_and_receives_much_at_once_and_changes_keys_meanwhile(string name)
    {
        var client = SshClients.Find(name);
        var error = await AssertEchoesAsync(client.Command(instances.LoginFor(client), $"run {InteropInstances.App} cat", client.Rekey));
        if (client.Rekey is not [])
            Assert.True(error.Split(client.NewKeys).Length > 5, $"keys were hardly changed: {error}");
    }

    [Theory]
    [MemberData(nameof(WithNewKeys))]
    public async Task Changes_keys_when_the_server_wants_to(string name)
    {
        var client = SshClients.Find(name);
        await AssertEchoesAsync(client.Command(instances.RekeyingLogin(client), "echo"));
    }

    [Theory]
    [MemberData(nameof(WithSftp))]
    public async Task Works_with_files(string name)
    {
        var client = SshClients.Find(name);
        var (login, paths) = (instances.LoginFor(client), instances.InstanceFor(client).Paths);
        var folder = $"{InteropInstances.App}/of-{name}";
        var errand = new SftpErrand(MakeLargeFile(), "/data/" + folder, _folder["copy"]);
        var (words, lines) = client.Sftp!(login, errand);
        using var input = new MemoryStream(Encoding.UTF8.GetBytes(lines));

        var run = await Programs.CaptureAsync(SshClient.Call(login, words) with { Input = input });

        Assert.True(run.Status.Succeeded, $"{run.Status}\n{run.Output}{run.Error}");
        Assert.Equal(await HashAsync(errand.File), await HashAsync(errand.Copy));
        Assert.Contains("first", run.Output, StringComparison.Ordinal);
        Assert.True(Directory.Exists(Path.Combine(paths.Data, InteropInstances.App)));
        Assert.False(Path.Exists(Path.Combine(paths.Data, folder)));
    }

    [Theory]
    [MemberData(nameof(WithGit))]
    public async Task Pushes_and_clones(string name)
    {
        var client = SshClients.Find(name);
        var (login, piku) = (instances.LoginFor(client), instances.InstanceFor(client));
        var app = $"by-{name}".ToLowerInvariant();
        var repository = await Repository.FromExampleAsync(piku.Client, "static", app);
        await repository.CommitAsync();
        // Without a variant git leaves the port to the program.
        var remote = client.GitVariant == "simple" && client.Git is null ? $"{Login.Destination}:{app}" : piku.Client.Remote(app);

        await GitAsync(repository.Folder, "push", remote, "main");
        await GitAsync(_folder.Path, "clone", remote, _folder["clone"]);

        Assert.Equal(await repository.HeadAsync(), (await Programs.RunAsync("git", ["rev-parse", "HEAD"], _folder["clone"])).Trim());
        Assert.Equal(await repository.HeadAsync(), await repository.RemoteHeadAsync());

        async Task GitAsync(string folder, params string[] words)
        {
            var call = SshClient.Call(login, [.. client.Git?.Invoke(login) ?? ["git"], .. words]);
            var environment = client.Start is null
                ? call.Environment
                : call.Environment.With("GIT_SSH_COMMAND", ShellWords.Join(client.Start(login))).With("GIT_SSH_VARIANT", client.GitVariant);
            var run = await Programs.CaptureAsync(call with { Folder = folder, Environment = environment });
            Assert.True(run.Status.Succeeded, $"{words[0]}: {run.Status}\n{run.Output}{run.Error}");
        }
    }

    [Theory]
    [MemberData(nameof(WithCommands))]
    public async Task Reaches_a_port_of_the_server(string name)
    {
        var client = SshClients.Find(name);
        var data = RandomNumberGenerator.GetHexString(Megabyte / 2);
        using var echo = new EchoServer(data.Length);
        using var input = new MemoryStream(Encoding.ASCII.GetBytes(data));

        var run = await Programs.CaptureAsync(
            client.WithoutCommand(instances.LoginFor(client), client.Forward!, $"127.0.0.1:{echo.Port}") with { Input = input });

        Assert.Equal((0, "", true), (run.Status.Code, run.Error, run.Output == data));
    }

    [Theory]
    [MemberData(nameof(WithListening))]
    public async Task Lets_others_reach_a_port_of_the_server(string name)
    {
        var client = SshClients.Find(name);
        using var echo = new EchoServer(Megabyte);
        var port = FreePorts.Find(1, new HashSet<int>())[0];
        await using var listening = await ChildProcess.StartAsync(
            client.WithoutCommand(instances.LoginFor(client), "-N", "-L", $"{port}:127.0.0.1:{echo.Port}"));
        using var socket = new TcpClient();
        await Eventually.TrueAsync(async () =>
        {
            try
            {
                await socket.ConnectAsync(IPAddress.Loopback, port, Cancelled);
                return true;
            }
            catch (SocketException) when (!listening.Exit.IsCompleted)
            {
                return false;
            }
        });
        var data = RandomNumberGenerator.GetBytes(Megabyte);
        var stream = socket.GetStream();

        var sending = stream.WriteAsync(data, Cancelled).AsTask();
        var received = new byte[data.Length];
        await stream.ReadExactlyAsync(received, Cancelled);
        await sending;

        Assert.Equal(data, received);
        socket.Close();
        await listening.StopAsync(TimeSpan.Zero);
    }

    /// <summary>All at once, because all of it is waiting.</summary>
    [Fact]
    public async Task Stays_though_it_is_silent_and_asks_for_a_sign_of_life_and_gives_one()
    {
        var clients = SshClients.All.Where(client => client.Start is not null);
        await Task.WhenAll(clients.SelectMany(client => client.KeepAlive is [] ? (string[][])[[]] : [[], client.KeepAlive], async (client, options) =>
        {
            var run = await Programs.CaptureAsync(client.Command(instances.LoginFor(client), $"run {InteropInstances.App} sleep {InteropInstances.LongerThanPatience.TotalSeconds}; echo still here", options));
            Assert.True(run.Output == "still here\n", $"{client} {string.Join(' ', options)}: {run}");
        }));
    }

    private static async Task AssertRunsAsync(SshClient client, Login login, params string[] options)
    {
        using var input = new MemoryStream("what was sent\n"u8.ToArray());

        var run = await Programs.CaptureAsync(
            client.Command(login, $"run {InteropInstances.App} cat; echo in trouble >&2; exit 7", options) with { Input = input });

        Assert.Equal(new CapturedRun(new ExitStatus(7, null), "what was sent\n", "in trouble\n"), run);
    }

    /// <summary>Sends much to something that sends it back, and returns what came on standard error.</summary>
    private async Task<string> AssertEchoesAsync(ProgramCall call)
    {
        var file = MakeLargeFile();
        await using var input = File.OpenRead(file);
        await using var output = File.Create(_folder["received"]);
        using var error = new MemoryStream();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        limit.CancelAfter(Pace.Scale(Patience));

        var status = await ChildProcess.RunAsync(call with { Input = input, Output = output.WriteAsync, Error = error.WriteAsync }, limit.Token);

        var said = Encoding.UTF8.GetString(error.ToArray());
        Assert.True(status.Succeeded, $"{status}\n{said}");
        output.Position = 0;
        Assert.Equal(await HashAsync(file), await SHA256.HashDataAsync(output, Cancelled));
        return said;
    }

    private string MakeLargeFile()
    {
        var data = new byte[Large];
        new Random(1).NextBytes(data);
        File.WriteAllBytes(_folder["large"], data);
        return _folder["large"];
    }

    private static async Task<byte[]> HashAsync(string file)
    {
        await using var stream = File.OpenRead(file);
        return await SHA256.HashDataAsync(stream, Cancelled);
    }

    private static TheoryData<string> Named(Func<SshClient, bool> predicate) => [.. SshClients.All.Where(predicate).Select(client => client.Name)];
}
