using System.Text.Json;
using Piku.Core.Machine;

namespace Piku.Tests.EndToEnd;

/// <summary>People with rights of their own, on a server that is theirs for the test.</summary>
[NeedsMachine]
public sealed class RightsTests : IAsyncLifetime
{
    private PikuInstance? _piku;

    private PikuInstance Piku => _piku!;

    private Client Admin => Piku.Client;

    public async ValueTask InitializeAsync() => _piku = await PikuInstance.StartAsync();

    public async ValueTask DisposeAsync()
    {
        if (_piku is not null)
            await _piku.DisposeAsync();
    }

    [Fact]
    public async Task A_deployer_deploys_their_apps_and_no_others()
    {
        var bob = await AddAsync("bob", "--apps", "\"blog shop-*\"", "--role", "deployer");
        await PushAsync(Admin, "secret");
        await PushAsync(bob, "blog");
        await PushAsync(bob, "shop-eu");

        Assert.Equal("*blog\n*shop-eu\n", await bob.CommandAsync("apps"));
        Assert.Equal("*blog\n*secret\n*shop-eu\n", await Admin.CommandAsync("apps"));
        await bob.CommandAsync("config:set", "blog", "--", "L=-1");
        Assert.Equal("-1\n", await bob.CommandAsync("config:get", "blog", "L"));

        foreach (var verb in (string[])["config", "ps", "restart", "git-upload-pack", "git-receive-pack", "config:live", "destroy"])
            await AssertRefusedAsync(bob, "your key is for the apps blog shop-*, not for 'secret'", verb, "secret");
        await AssertRefusedAsync(bob, "not for 'absent'", "config", "absent");
        await AssertRefusedAsync(bob, "'destroy' is for admins", "destroy", "blog");
        foreach (var verb in (string[])["keys", "setup", "setup:ssh -"])
            await AssertRefusedAsync(bob, "is for admins of all apps", verb);

        var elsewhere = await Repository.WithFilesAsync(bob, "blog2", ("Procfile", "worker: sleep 1000\n"), ("package.json", "{}"));
        var push = await elsewhere.TryPushAsync();
        Assert.False(push.Status.Succeeded);
        Assert.Contains("not for 'blog2'", push.Error, StringComparison.Ordinal);
        Assert.False(Path.Exists(Path.Combine(Piku.Paths.Repos, "blog2")));
    }

    [Fact]
    public async Task A_reader_reads_and_sees_no_values()
    {
        var rita = await AddAsync("rita", "--role=reader");
        var repository = await PushAsync(Admin, "blog");
        await Admin.CommandAsync("config:set", "blog", "SECRET=hunter2");

        Assert.Equal("SECRET\n", await rita.CommandAsync("config", "blog"));
        var live = await rita.CommandAsync("config:live", "blog");
        Assert.Contains("SECRET\n", live, StringComparison.Ordinal);
        Assert.DoesNotContain("=", live, StringComparison.Ordinal);
        Assert.Equal("worker:1\n", await rita.CommandAsync("ps", "blog"));

        var clone = await Programs.CaptureAsync(rita.Git(rita.Folder, "clone", "--quiet", rita.Remote("blog"), "copy"));
        Assert.True(clone.Status.Succeeded, clone.Error);
        Assert.True(File.Exists(Path.Combine(rita.Folder, "copy", "Procfile")));
        var push = await Programs.CaptureAsync(rita.Git(Path.Combine(rita.Folder, "copy"), "push", rita.Remote("blog"), "HEAD:refs/heads/other"));
        Assert.Contains("your key has the role reader. 'git-receive-pack' is for deployers and admins", push.Error, StringComparison.Ordinal);

        foreach (var words in (string[][])[["config:get", "blog", "SECRET"], ["config:set", "blog", "A=1"], ["run", "blog", "env"], ["stop", "blog"], ["ps:scale", "blog", "worker=2"]])
            await AssertRefusedAsync(rita, $"'{words[0]}' is for deployers and admins", words);
        Assert.Equal(await repository.HeadAsync(), await repository.RemoteHeadAsync());
    }

    [Theory]
    [InlineData]
    [InlineData("-O")]
    public async Task Files_and_ports_are_open_to_those_who_may(params string[] options)
    {
        var (bob, rita) = (await AddAsync("bob", "--apps", "blog", "--role", "deployer"), await AddAsync("rita", "--role=reader"));
        await PushAsync(Admin, "blog");
        await PushAsync(Admin, "secret");

        Assert.True((await bob.ScpAsync([.. options, bob.PublicKey, "piku@127.0.0.1:/data/blog/file"])).Status.Succeeded);
        Assert.True((await rita.ScpAsync([.. options, "piku@127.0.0.1:/apps/blog/Procfile", "copy"])).Status.Succeeded);
        Assert.False((await rita.ScpAsync([.. options, "piku@127.0.0.1:/data/blog/file", "secret"])).Status.Succeeded);
        Assert.True(File.Exists(Path.Combine(rita.Folder, "copy")));
        Assert.False((await bob.ScpAsync([.. options, bob.PublicKey, "piku@127.0.0.1:/data/secret/file"])).Status.Succeeded);
        Assert.False((await bob.ScpAsync([.. options, "piku@127.0.0.1:/apps/secret/Procfile", "copy"])).Status.Succeeded);
        Assert.False((await rita.ScpAsync([.. options, rita.PublicKey, "piku@127.0.0.1:/data/blog/file"])).Status.Succeeded);

        foreach (var client in (Client[])[Admin, bob, rita])
        {
            var forward = await client.SshAsync("-v", "-W", $"127.0.0.1:{Piku.SshPort}");
            Assert.Equal(client != Admin, forward.Error.Contains("this key may not forward ports", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task A_key_that_is_bound_to_a_command_runs_that_and_nothing_else()
    {
        var monitor = await CreateAsync("monitor");
        await PushAsync(Admin, "blog");
        Append($"restrict,command=\"ps blog\" {await File.ReadAllTextAsync(monitor.PublicKey, TestContext.Current.CancellationToken)}");

        Assert.Equal("worker:1\n", await monitor.CommandAsync("destroy", "blog"));
        Assert.Equal("worker:1\n", await monitor.CommandAsync());
        Assert.Equal("worker:1\n", await monitor.CommandAsync("-s", "sftp"));
        Assert.Contains("PTY allocation request failed", (await monitor.SshAsync("-tt")).Error, StringComparison.Ordinal);
        Assert.False((await Programs.CaptureAsync(monitor.Git(monitor.Folder, "ls-remote", monitor.Remote("blog")))).Status.Succeeded);
    }

    [Fact]
    public async Task From_and_expiry_time_decide_at_the_door()
    {
        var carol = await CreateAsync("carol");
        var key = (await File.ReadAllTextAsync(carol.PublicKey, TestContext.Current.CancellationToken)).Trim();
        var before = await File.ReadAllTextAsync(Piku.Paths.AuthorizedKeys, TestContext.Current.CancellationToken);
        foreach (var (options, welcome) in ((string, bool)[])[
            ("from=\"10.0.0.0/8\"", false), ("from=\"127.0.0.*\"", true), ("from=\"*,!127.0.0.1\"", false),
            ("expiry-time=\"20200101\"", false), ("expiry-time=\"20990101Z\"", true), ("no-such-option", false), ("from=\"*.example.org\"", false),
            ("environment=\"PIKU_ROLE=king\"", false), ("cert-authority", false)])
        {
            await File.WriteAllTextAsync(Piku.Paths.AuthorizedKeys, $"{before}{options} {key}\n", TestContext.Current.CancellationToken);
            var run = await carol.SshAsync("version");
            Assert.True(run.Status.Succeeded == welcome, $"{options}: {run.Status}\n{run.Error}\n{Piku.Output}");
        }
        await Eventually.TrueAsync(() => Piku.Output.Contains("'no-such-option' is not supported", StringComparison.Ordinal), TimeSpan.FromSeconds(5), () => Piku.Output);
        Assert.Contains("it has expired", Piku.Output, StringComparison.Ordinal);
        Assert.Contains("there is no role 'king'", Piku.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Keys_are_added_shown_and_removed_but_not_the_last_of_an_admin()
    {
        var bob = await AddAsync("bob", "--role", "deployer", "--apps", "blog", "shop-*");
        Assert.Contains("never", await LineOfAsync("bob"), StringComparison.Ordinal);
        await bob.CommandAsync("version");
        Assert.Matches("^bob +deployer +blog shop-\\* +20.* UTC from 127.0.0.1 +SHA256:", await LineOfAsync("bob"));
        Assert.Matches("^ada +admin +all apps +20", await LineOfAsync("ada"));
        var shown = await Admin.CommandAsync("keys:show", "bob");
        Assert.Contains("environment=\"PIKU_ROLE=deployer\",environment=\"PIKU_APPS=blog shop-*\" ssh-ed25519 ", shown, StringComparison.Ordinal);

        await AssertRefusedAsync(Admin, "this is the last admin key", "keys:remove", "ada");
        await AssertRefusedAsync(Admin, "there is no key 'eve'", "keys:remove", "eve");
        await Admin.CommandAsync("keys:remove", "bob");
        Assert.Equal(255, (await bob.SshAsync("version")).Status.Code);
        Assert.Equal(2, (await Admin.SshAsync("keys:add", "bob", "--role", "king")).Status.Code);
        Assert.Equal(2, (await Admin.SshAsync("keys:add", "bob", "--admin")).Status.Code);

        var second = await AddAsync("second");
        await AssertRefusedAsync(second, "you are logged in with this key", "keys:remove", "second");
        Append($"{(await File.ReadAllTextAsync(Admin.PublicKey, TestContext.Current.CancellationToken)).Replace(" ada", " also-ada", StringComparison.Ordinal)}");
        var removed = await second.CommandAsync("keys:remove", "ada");
        Assert.Matches("Removed the key 'ada' .*\nRemoved the key 'also-ada' .*, which is the same key under another name", removed);
        Assert.Equal(255, (await Admin.SshAsync("version")).Status.Code);
        await second.CommandAsync("keys:remove", "second", "--force");
    }

    [Fact]
    public async Task A_file_that_others_may_write_lets_nobody_in()
    {
        File.SetUnixFileMode(Piku.Paths.AuthorizedKeys, AtomicFile.Secret | UnixFileMode.GroupWrite);
        Assert.Equal(255, (await Admin.SshAsync("version")).Status.Code);
        await Eventually.TrueAsync(() => Piku.Output.Contains("run 'chmod go-w", StringComparison.Ordinal), TimeSpan.FromSeconds(5), () => Piku.Output);
        File.SetUnixFileMode(Piku.Paths.AuthorizedKeys, AtomicFile.Secret);
        await Admin.CommandAsync("version");
    }

    [Fact]
    public async Task Who_did_what_is_written_down_without_secrets()
    {
        await PushAsync(Admin, "blog");
        await Admin.CommandAsync("config:set", "blog", "SECRET=hunter2", "'B=two hunter2'");
        await Admin.SshAsync("run", "blog", "exit 7");
        await Admin.SshAsync("nonsense");
        await Admin.SshAsync("keys:add", "eve", "--role=reader", "--apps=blog");

        await Eventually.TrueAsync(() => Entries("connection").Count >= 5, TimeSpan.FromSeconds(10), AuditText);
        var commands = Entries("command");
        AssertEntry("git-receive-pack /blog", "blog", 0);
        AssertEntry("config:set blog SECRET=… B=…", "blog", 0);
        AssertEntry("run blog exit 7", "blog", 7);
        AssertEntry("nonsense", null, 2);
        AssertEntry("keys:add eve --role=reader --apps=blog", null, 1);
        Assert.All(commands, entry => Assert.Equal(("ada", "127.0.0.1"), (entry.GetProperty("name").GetString(), entry.GetProperty("address").GetString())));
        Assert.All(commands, entry => Assert.StartsWith("SHA256:", entry.GetProperty("fingerprint").GetString(), StringComparison.Ordinal));
        Assert.All(Entries("connection"), entry => Assert.StartsWith("SSH-2.0-OpenSSH", entry.GetProperty("client").GetString(), StringComparison.Ordinal));
        Assert.DoesNotContain("hunter2", AuditText() + Piku.Output, StringComparison.Ordinal);
        Assert.Contains("config:set blog SECRET=…", Piku.Output, StringComparison.Ordinal);

        void AssertEntry(string command, string? app, int status) => Assert.Contains(commands, entry =>
            entry.GetProperty("command").GetString() == command && entry.GetProperty("status").GetInt32() == status
            && (entry.TryGetProperty("app", out var about) ? about.GetString() : null) == app);
    }

    private string AuditText() => File.ReadAllText(Path.Combine(Piku.Paths.Audit, "audit.jsonl"));

    private List<JsonElement> Entries(string kind) =>
        [.. AuditText().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement).Where(entry => entry.GetProperty("event").GetString() == kind)];

    private async Task<string> LineOfAsync(string name) =>
        (await Admin.CommandAsync("keys")).Split('\n').Single(line => line.StartsWith(name + " ", StringComparison.Ordinal));

    private void Append(string line) => File.AppendAllText(Piku.Paths.AuthorizedKeys, line);

    private async Task<Client> CreateAsync(string name)
    {
        var client = new Client(Path.Combine(Path.GetDirectoryName(Admin.Folder)!, name), Piku);
        await client.CreateKeyAsync();
        return client;
    }

    private async Task<Client> AddAsync(string name, params string[] options)
    {
        var client = await CreateAsync(name);
        await using var key = File.OpenRead(client.PublicKey);
        var added = await Programs.CaptureAsync(Admin.Ssh(["keys:add", name, .. options]) with { Input = key });
        Assert.True(added.Status.Succeeded, added.Error);
        return client;
    }

    private static async Task<Repository> PushAsync(Client client, string app)
    {
        var repository = await Repository.WithFilesAsync(client, app, ("Procfile", "worker: sleep 1000\n"), ("package.json", "{}"));
        await repository.PushAsync();
        return repository;
    }

    private static async Task AssertRefusedAsync(Client client, string sentence, params string[] words)
    {
        var run = await client.SshAsync(words);
        Assert.Equal((1, ""), (run.Status.Code, run.Output));
        Assert.Contains(sentence, run.Error, StringComparison.Ordinal);
    }
}
