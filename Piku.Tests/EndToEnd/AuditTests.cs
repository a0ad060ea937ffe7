using System.Text;
using System.Text.Json;

namespace Piku.Tests.EndToEnd;

/// <summary>What stands in <c>audit.jsonl</c>, and in the log, of each thing that can happen at the door.</summary>
[NeedsMachine]
public sealed class AuditTests
{
    [Fact]
    public async Task Logins_commands_forwards_refusals_blocks_and_ends_are_written_down_without_secrets()
    {
        await using var piku = await PikuInstance.StartAsync("[ssh]\nconnections_per_address = 1\n[ssh.penalties]\nexempt = []\nfailure = 60\nno_try = 0\n");
        await piku.Client.CommandAsync("version");
        await EndedAsync(1);
        await ForwardAsync(piku, $"localhost:{piku.HttpPort}");
        await EndedAsync(2);
        await ForwardAsync(piku, "192.0.2.1:80");
        await EndedAsync(3);
        await Programs.CaptureAsync(piku.Client.Ssh("run", "nothing", "TOKEN=hunter2"));
        await EndedAsync(4);
        await RefuseOneAsync(piku);
        await EndedAsync(5);
        var stranger = new Client(Path.Combine(piku.Home, "stranger"), piku);
        await stranger.CreateKeyAsync();
        Assert.Equal(255, (await stranger.SshAsync("version")).Status.Code);
        await Eventually.TrueAsync(() => Entries(piku, "blocked").Count == 1, explain: () => Text(piku));

        var login = Entries(piku, "login")[0];
        Assert.Equal(("ada", "127.0.0.1"), (Word(login, "name"), Word(login, "address")));
        Assert.StartsWith("SHA256:", Word(login, "fingerprint"), StringComparison.Ordinal);
        Assert.StartsWith("SSH-2.0-OpenSSH", Word(login, "client"), StringComparison.Ordinal);
        var end = Entries(piku, "connection")[0];
        Assert.Equal((Word(login, "id"), Word(login, "fingerprint")), (Word(end, "id"), Word(end, "fingerprint")));
        Assert.StartsWith(Word(login, "id"), Word(Entries(piku, "command")[0], "id"), StringComparison.Ordinal);
        var (forward, refusedForward) = (Entries(piku, "forward")[0], Entries(piku, "forward")[1]);
        Assert.Equal(("ada", $"localhost:{piku.HttpPort}"), (Word(forward, "name"), Word(forward, "target")));
        Assert.Equal(Request.Length, forward.GetProperty("received").GetInt64());
        Assert.True(forward.GetProperty("sent").GetInt64() > 0);
        Assert.Equal("192.0.2.1:80", Word(refusedForward, "target"));
        Assert.NotEmpty(Word(refusedForward, "outcome"));
        var refusal = Assert.Single(Entries(piku, "refused"));
        Assert.Equal(("127.0.0.1", "too many connections from this address"), (Word(refusal, "address"), Word(refusal, "outcome")));
        var block = Entries(piku, "blocked")[0];
        Assert.Equal(("127.0.0.1", 60), (Word(block, "address"), block.GetProperty("seconds").GetDouble()));
        Assert.False(Entries(piku, "connection")[^1].TryGetProperty("name", out _));

        Assert.All(
            [
                "came in with the key of ada", "ada (SHA256:", ": version: status 0 after", $"forwarded to localhost:{piku.HttpPort}: done",
                "forwarded to 192.0.2.1:80: ", "was refused: too many connections from this address", "127.0.0.1 is blocked for 00:01:00",
                "was connected for", "is not authorized",
            ],
            line => Assert.Contains(line, piku.Output, StringComparison.Ordinal));
        Assert.DoesNotContain("hunter2", Text(piku) + piku.Output, StringComparison.Ordinal);

        // One at a time: only one may be connected, and a block is told when its connection has ended.
        Task EndedAsync(int count) => Eventually.TrueAsync(() => Entries(piku, "connection").Count == count, explain: () => Text(piku));
    }

    private const string Request = "GET /?token=hunter2 HTTP/1.0\r\n\r\n";

    private static async Task ForwardAsync(PikuInstance piku, string target)
    {
        var call = piku.Client.Ssh();
        using var request = new MemoryStream(Encoding.ASCII.GetBytes(Request));
        await Programs.CaptureAsync(call with { Arguments = ["-W", target, .. call.Arguments], Input = request });
    }

    /// <summary>While somebody is connected, nobody else may be.</summary>
    private static async Task RefuseOneAsync(PikuInstance piku)
    {
        using var first = new System.Net.Sockets.TcpClient();
        await first.ConnectAsync("127.0.0.1", piku.SshPort, TestContext.Current.CancellationToken);
        await first.GetStream().ReadExactlyAsync(new byte[4], TestContext.Current.CancellationToken);
        Assert.Equal(255, (await piku.Client.SshAsync("version")).Status.Code);
    }

    private static string Text(PikuInstance piku)
    {
        var file = Path.Combine(piku.Paths.Audit, "audit.jsonl");
        return File.Exists(file) ? File.ReadAllText(file) : "";
    }

    private static List<JsonElement> Entries(PikuInstance piku, string kind) =>
        [.. Text(piku).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement).Where(entry => Word(entry, "event") == kind)];

    private static string Word(JsonElement entry, string property) => entry.GetProperty(property).GetString()!;
}
