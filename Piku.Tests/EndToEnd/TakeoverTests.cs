using Piku.Core.Machine;

namespace Piku.Tests.EndToEnd;

/// <summary>A daemon that is started on what upstream has left.</summary>
[NeedsMachine]
public sealed class TakeoverTests : IAsyncLifetime
{
    private const string App = "def app(e,s):\n    s('200 OK',[]); return [b'version 1']\n";

    private PikuInstance? _piku;

    private PikuInstance Piku => _piku!;

    private string KeysFile => Path.Combine(Piku.Home, ".ssh", "authorized_keys");

    public async ValueTask InitializeAsync() => _piku = await PikuInstance.StartAsync(async instance =>
    {
        _piku = instance;
        var tree = new UpstreamTree(instance);
        // Scaled to two: two vassals on one socket, of which the second has it.
        await tree.WriteAsync("g02-wsgi-nginx", 3, ("app.py", App));
        var second = Path.Combine(instance.Paths.VassalsEnabled, "g02_wsgi.2.ini");
        File.Copy(Path.Combine(instance.Paths.VassalsEnabled, "g02_wsgi.1.ini"), second);
        UpstreamTree.Write(Path.Combine(instance.Paths.Envs, "g02", "SCALING"), "wsgi:2\n");
        UpstreamTree.Write(Path.Combine(instance.Paths.Envs, "g02", "ENV"), "KEPT=by config:set\n");
        await Programs.RunAsync("virtualenv", ["--quiet", "--python=python3", Path.Combine(instance.Paths.Envs, "g02")]);
        await tree.WriteAsync("g29-static", 0);
        await tree.WriteAsync("g52-scale", 15);
        if (UnixUser.Current.IsRoot)
            await Programs.RunAsync("chown", ["-R", "piku:", instance.Paths.Root]);
    });

    public async ValueTask DisposeAsync()
    {
        if (_piku is not null)
            await _piku.DisposeAsync();
    }

    [Fact]
    public async Task Apps_go_on_with_their_settings_scaling_and_data_and_nothing_runs_twice()
    {
        using var browser = new Browser(Piku);
        await browser.AssertSaysAsync(browser.Http("g02.local"), "version 1");
        await browser.AssertSaysAsync(browser.Https("www.g02.local"), "version 1");
        await browser.AssertSaysAsync(browser.Https("g29.local"), "x");
        Assert.Contains("Took over the app 'g02' of an earlier piku.", Piku.Output, StringComparison.Ordinal);

        Assert.Equal("*g02\n*g29\n g52 (stopped)\n", await Piku.Client.CommandAsync("apps"));
        Assert.Equal("KEPT=by config:set\n", await Piku.Client.CommandAsync("config", "g02"));
        Assert.Equal("by config:set\n", await Piku.Client.CommandAsync("run", "g02", "echo $KEPT"));
        Assert.Equal("wsgi:2\n", await Piku.Client.CommandAsync("ps", "g02"));
        Assert.Equal("web:2\nworker:2\n", await Piku.Client.CommandAsync("ps", "g52"));
        Assert.Equal("a line of before\n", await File.ReadAllTextAsync(Path.Combine(Piku.Paths.Logs, "g02", "old.1.log"), TestContext.Current.CancellationToken));
        Assert.Equal("data\n", await Piku.Client.CommandAsync("run", "g02", "cat $DATA_ROOT/precious"));

        // One vassal with four processes and one socket, instead of two that take it from each other (D20).
        Assert.Equal(["g02_wsgi.1.ini"], Directory.GetFiles(Piku.Paths.VassalsEnabled).Select(Path.GetFileName));
        await Eventually.TrueAsync(() => Masters(Piku) == 1, explain: () => $"{Masters(Piku)} processes run vassals of g02");
    }

    [Fact]
    public async Task A_push_deploys_and_the_hook_of_before_is_not_run()
    {
        using var browser = new Browser(Piku);
        var author = Path.Combine(Piku.Client.Folder, "g02");
        await File.WriteAllTextAsync(Path.Combine(author, "app.py"), App.Replace("version 1", "version 2", StringComparison.Ordinal), TestContext.Current.CancellationToken);
        await Programs.CaptureAsync(Piku.Client.Git(author, "commit", "--quiet", "--all", "-m", "change"));
        var push = await Programs.CaptureAsync(Piku.Client.Git(author, "push", Piku.Client.Remote("g02"), "main"));
        Assert.True(push.Status.Succeeded, push.Error);
        await browser.AssertSaysAsync(browser.Http("g02.local"), "version 2");
        Assert.False(File.Exists(Path.Combine(Piku.Paths.Repos, "g02", "hooks", "was-run")));
        Assert.Equal("KEPT=by config:set\n", await Piku.Client.CommandAsync("config", "g02"));

        // What was stopped before starts when it is told to; nothing is taken over twice.
        Assert.True((await Piku.StopDaemonAsync()).Succeeded);
        await Piku.StartDaemonAsync();
        Assert.DoesNotContain("earlier piku", Piku.Output, StringComparison.Ordinal);
        await browser.AssertSaysAsync(browser.Http("g02.local"), "version 2");
    }

    [Fact]
    public async Task Lines_of_authorized_keys_hold_as_they_are()
    {
        var alice = new Client(Path.Combine(Piku.Home, "alice"), Piku);
        await alice.CreateKeyAsync();
        var key = (await File.ReadAllTextAsync(alice.PublicKey, TestContext.Current.CancellationToken)).Trim();
        UpstreamTree.Write(KeysFile,
            $"command=\"FINGERPRINT=SHA256:x NAME=alice {Piku.Home}/piku.py $SSH_ORIGINAL_COMMAND\",no-agent-forwarding,no-user-rc,no-X11-forwarding,no-port-forwarding {key}\n");
        Assert.False((await alice.SshAsync("apps")).Status.Succeeded);

        var added = await Piku.LocalAsync("setup:ssh", KeysFile);
        Assert.True(added.Status.Succeeded, added.Error);

        Assert.Contains("*g02\n", await alice.CommandAsync("apps"), StringComparison.Ordinal);
        Assert.Contains("alice", await alice.CommandAsync("keys"), StringComparison.Ordinal);
    }

    /// <summary>uWSGI masters of g02's vassals; the processes that they start have the same command line.</summary>
    private static int Masters(PikuInstance piku)
    {
        var folder = Path.Combine(piku.Paths.Apps, "g02");
        var all = ProcessTable.Read().Where(process => Folder(process.Id) == folder).ToList();
        return all.Count(process => all.All(other => other.Id != process.Parent));

        // Other users' processes do not show theirs.
        static string? Folder(int process)
        {
            try
            {
                return File.ResolveLinkTarget($"/proc/{process}/cwd", returnFinalTarget: false)?.FullName;
            }
            catch (Exception hidden) when (hidden is IOException or UnauthorizedAccessException)
            {
                return null;
            }
        }
    }
}
