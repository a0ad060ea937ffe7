using System.IO.Pipelines;
using System.Net;
using System.Text;
using Piku.Core.Machine;
using Piku.Tests.EndToEnd;

namespace Piku.Tests.Interop;

/// <summary>
/// How an editor's remote extension (VS Code's, JGit's) uses a server: one connection, kept alive, on it a conversation
/// with a program that stays, commands beside it, and connections to a service of the server's.
/// </summary>
[NeedsMachine]
[Collection(nameof(InteropInstances))]
public sealed class AnEditor(InteropInstances instances) : IDisposable
{
    private static readonly SshClient OpenSsh = SshClients.Find("OpenSSH");

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private Login Login => instances.LoginFor(OpenSsh);

    /// <summary>So that nothing but the one connection can be used.</summary>
    private string[] OnTheConnection => ["-S", _folder["control"], "-o", "ProxyCommand=false"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Talks_and_runs_commands_and_reaches_a_service_on_one_connection_that_is_kept_alive()
    {
        await using var master = await ChildProcess.StartAsync(
            OpenSsh.WithoutCommand(Login, ["-M", "-N", "-S", _folder["control"], .. OpenSsh.KeepAlive]));
        await Eventually.TrueAsync(async () =>
            (await Programs.CaptureAsync(OpenSsh.WithoutCommand(Login, [.. OnTheConnection, "-O", "check"]))).Status.Succeeded);
        var said = new StringBuilder();
        var words = new Pipe();
        await using var conversation = await ChildProcess.StartAsync(OpenSsh.Command(Login, $"run {InteropInstances.App} cat", OnTheConnection) with
        {
            Input = words.Reader.AsStream(),
            Output = (bytes, _) =>
            {
                lock (said)
                    said.Append(Encoding.UTF8.GetString(bytes.Span));
                return ValueTask.CompletedTask;
            },
        });
        await TalkAsync("at first");

        var silent = RunAsync($"sleep {InteropInstances.LongerThanPatience.TotalSeconds}; echo still here");
        var commands = Enumerable.Range(0, 6).Select(i => RunAsync($"echo {i}")).ToList();
        var pages = FetchAsync();
        for (var i = 0; i < 50; i++)
            await TalkAsync($"word {i}");
        Assert.Equal(Enumerable.Range(0, 6).Select(i => $"{i}\n"), await Task.WhenAll(commands));
        await pages;
        Assert.Equal("still here\n", await silent);

        await TalkAsync("at last");
        await words.Writer.CompleteAsync();
        Assert.True((await conversation.Exit.WaitAsync(Cancelled)).Succeeded);
        Assert.False(master.Exit.IsCompleted);
        await Programs.CaptureAsync(OpenSsh.WithoutCommand(Login, [.. OnTheConnection, "-O", "exit"]));
        await master.Exit.WaitAsync(Cancelled);

        async Task TalkAsync(string line)
        {
            await words.Writer.WriteAsync(Encoding.UTF8.GetBytes(line + "\n"), Cancelled);
            await Eventually.TrueAsync(() => Said().EndsWith(line + "\n", StringComparison.Ordinal), explain: Said);
        }

        string Said()
        {
            lock (said)
                return said.ToString();
        }
    }

    private async Task<string> RunAsync(string script)
    {
        var run = await Programs.CaptureAsync(
            OpenSsh.Command(Login, $"run {InteropInstances.App} {script}", OnTheConnection));
        Assert.True(run.Status.Succeeded, $"{run}");
        return run.Output;
    }

    /// <summary>Pages of an http server, each over a tunnel of its own.</summary>
    private async Task FetchAsync()
    {
        var ports = FreePorts.Find(2, new HashSet<int>());
        using var server = new HttpListener { Prefixes = { $"http://127.0.0.1:{ports[0]}/" } };
        server.Start();
        var serving = ServeAsync(server);
        var forward = await Programs.CaptureAsync(
            OpenSsh.WithoutCommand(Login, [.. OnTheConnection, "-O", "forward", "-L", $"{ports[1]}:127.0.0.1:{ports[0]}"]));
        Assert.True(forward.Status.Succeeded, $"{forward}");
        using var browser = new HttpClient();
        var pages = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => browser.GetStringAsync(new Uri($"http://127.0.0.1:{ports[1]}/{i}"), Cancelled)));
        Assert.Equal(Enumerable.Range(0, 8).Select(i => $"page /{i}"), pages);
        server.Stop();
        await serving;
    }

    private static async Task ServeAsync(HttpListener server)
    {
        try
        {
            while (true)
            {
                var context = await server.GetContextAsync();
                context.Response.Close(Encoding.UTF8.GetBytes($"page {context.Request.Url!.AbsolutePath}"), willBlock: false);
            }
        }
        catch (Exception over) when (over is HttpListenerException or ObjectDisposedException)
        {
            // All pages are fetched.
        }
    }
}
