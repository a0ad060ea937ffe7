using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Tests.EndToEnd;

/// <summary>Apps with repositories inside of theirs.</summary>
[NeedsMachine]
public sealed class SubmoduleTests(RunningPiku shared) : IClassFixture<RunningPiku>, IAsyncLifetime
{
    private static int _count;

    private readonly string _app = $"nesting{++_count}";
    private GitOverHttp _server = null!;
    private Repository _library = null!;
    private Repository _repository = null!;

    private Client Client => shared.Piku.Client;

    private string Served => Path.Combine(Client.Folder, "served");

    private string Tree => shared.Piku.Paths.App(AppName.Parse(_app));

    public async ValueTask InitializeAsync()
    {
        Directory.CreateDirectory(Served);
        _server = new(Served);
        _library = await Repository.WithFilesAsync(Client, _app + "-library", ("page.html", "library 1"), ("old.html", "old"), ("sub/deep.html", "deep"));
        await PublishAsync(_library);
        _repository = await Repository.FromExampleAsync(Client, "static", _app);
        await LinkAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _server.Dispose();
        await Client.SshAsync("destroy", _app);
    }

    [Fact]
    public async Task Their_files_are_the_apps_and_come_change_and_go_with_its_commits()
    {
        var inner = await Repository.WithFilesAsync(Client, _app + "-inner", ("inner.html", "inner 1"));
        await PublishAsync(inner);
        await _library.LinkAsync("inner", await inner.HeadAsync(), $"../{inner.App}.git");
        await PublishAsync(_library);
        await LinkAsync();

        Assert.Contains("-----> Fetching submodule 'public/lib/inner'", await _repository.PushAsync(), StringComparison.Ordinal);

        await AssertSaysAsync("lib/page.html", "library 1");
        await AssertSaysAsync("lib/inner/inner.html", "inner 1");
        Assert.Equal("", await Client.CommandAsync("run", _app, "git status --porcelain"));

        // As upstream leaves them.
        _server.Status = 500;
        await Client.CommandAsync("run", _app, "mkdir .git/modules && mv .git/submodules.git .git/modules/lib && echo gitdir: x > public/lib/.git");
        await Client.CommandAsync("deploy", _app);
        Assert.False(Path.Exists(Path.Combine(Tree, "public/lib/.git")));
        Assert.Equal("", await Client.CommandAsync("run", _app, "git status --porcelain"));
        _server.Status = null;

        _library.Write("page.html", "library 2");
        File.Delete(Path.Combine(_library.Folder, "old.html"));
        await PublishAsync(_library);
        await LinkAsync();
        await _repository.PushAsync();
        await AssertSaysAsync("lib/page.html", "library 2");
        Assert.False(File.Exists(Path.Combine(Tree, "public/lib/old.html")));

        await _repository.GitAsync("rm", "--quiet", "--cached", "public/lib");
        Directory.Delete(Path.Combine(_repository.Folder, "public/lib"));
        File.Delete(Path.Combine(_repository.Folder, ".gitmodules"));
        _repository.Write("public/lib", "a file now");
        await _repository.PushAsync();
        await AssertSaysAsync("lib", "a file now");
        Assert.Equal("", await Client.CommandAsync("run", _app, "git status --porcelain"));

        // All that was fetched is kept: nobody is asked for it.
        _server.Status = 500;
        await Client.CommandAsync("rollback", _app, "1");
        await AssertSaysAsync("lib/old.html", "old");
        await AssertSaysAsync("lib/inner/inner.html", "inner 1");
        await Client.CommandAsync("rollback", _app, "3");
        await AssertSaysAsync("lib/page.html", "library 2");
        Assert.False(File.Exists(Path.Combine(Tree, "public/lib/old.html")));
    }

    [Fact]
    public async Task One_that_is_not_to_be_had_fails_the_push_and_nothing_changes()
    {
        await _repository.PushAsync();
        var good = await _repository.HeadAsync();
        var outside = Path.Combine(Client.Folder, "outside");
        var commit = await _library.HeadAsync();
        foreach (var (address, sentence) in new[]
        {
            ($"file://{Served}/{_library.App}.git", "piku fetches submodules only from https, http, ssh and git addresses"),
            ($"{Served}/{_library.App}.git", "piku fetches submodules only from"),
            ("../other", "piku fetches submodules only from"),
            ($"ext::sh -c 'touch {outside}'", "piku fetches submodules only from"),
            ($"-u./touch {outside}:x", "piku fetches submodules only from"),
            ("ssh://-oProxyCommand=touch/x", "piku fetches submodules only from"),
            ("http://127.0.0.1:1/nothing", "the submodule 'public/lib' could not be fetched: fatal: unable to access"),
            (_server.Address("nothing.git"), "not found"),
        })
        {
            await LinkAsync(new string('1', 40), address);
            await AssertRefusedAsync(good, sentence);
        }
        await LinkAsync(new string('2', 40));
        await AssertRefusedAsync(good, "which its repository does not have: push that commit there");
        _server.Status = 401;
        await AssertRefusedAsync(good, "could not be fetched: fatal: could not read Username");
        Assert.False(File.Exists(outside));

        _repository.Write(".gitmodules", "[submodule\n");
        await AssertRefusedAsync(good, "Error: .gitmodules cannot be read: error: bad config line 1");
        // Named by none, it is left out; git's own way of adding a repository by mistake.
        File.Delete(Path.Combine(_repository.Folder, ".gitmodules"));
        Assert.Contains("Warning: 'public/lib' is a repository of its own that no .gitmodules names", await _repository.PushAsync(), StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(Tree, "public/lib")));
        await Client.CommandAsync("rollback", _app);
        await AssertSaysAsync("lib/page.html", "library 1");
        Assert.NotEqual(commit, good);
    }

    [Fact]
    public async Task A_fetch_that_hangs_is_ended_by_time_by_cancelling_and_by_a_kill()
    {
        await _repository.PushAsync();
        var good = await _repository.HeadAsync();
        await Client.CommandAsync("config:set", _app, "PIKU_BUILD_TIMEOUT=1");
        _server.Status = 0;
        await LinkAsync(new string('3', 40));
        await AssertRefusedAsync(good, "the submodules could not be fetched within 1 s; set PIKU_BUILD_TIMEOUT to allow more.");
        _repository.Write("ENV", $"NGINX_SERVER_NAME={_repository.Host}\nPIKU_BUILD_TIMEOUT=600\n");
        await Client.CommandAsync("config:unset", _app, "PIKU_BUILD_TIMEOUT");

        var push = await BeginAsync();
        await Client.CommandAsync("deploys:cancel", _app);
        Assert.Contains("the deploy was cancelled by ada", (await push).Error, StringComparison.Ordinal);
        await Eventually.TrueAsync(() => !Programs.RunningWith(_server.Address("")).Any());

        push = await BeginAsync();
        await shared.Piku.KillDaemonAsync();
        await push;
        await shared.Piku.StartDaemonAsync();
        await Eventually.TrueAsync(() => !Programs.RunningWith(_server.Address("")).Any());
        Assert.Equal(good, await _repository.RemoteHeadAsync());
        await AssertSaysAsync("lib/page.html", "library 1");
        Assert.DoesNotContain(Directory.EnumerateFileSystemEntries(Path.Combine(Tree, ".git"), "*", SearchOption.AllDirectories),
            entry => entry.EndsWith(".lock", StringComparison.Ordinal) || Path.GetFileName(entry).StartsWith("piku-", StringComparison.Ordinal));

        _server.Status = null;
        _library.Write("page.html", "library 4");
        await PublishAsync(_library);
        await LinkAsync();
        await _repository.PushAsync();
        await AssertSaysAsync("lib/page.html", "library 4");
    }

    [Fact]
    public async Task One_behind_ssh_is_fetched_with_the_servers_own_key()
    {
        await _repository.PushAsync();
        _library.Write("page.html", "library by ssh");
        await _library.CommitAsync();
        // It is another app of the same piku, and must be named in full, and by somebody who may read it.
        Assert.True((await Programs.CaptureAsync(Client.Git(_library.Folder, "push", "-o", "no-deploy", Client.Remote(_library.App), "main"))).Status.Succeeded);
        await LinkAsync(await _library.HeadAsync(), Client.Remote(_library.App));
        var refused = await _repository.TryPushAsync();
        Assert.False(refused.Status.Succeeded);
        Assert.Contains("Host key verification failed", refused.Error, StringComparison.Ordinal);

        // ssh looks for ~/.ssh in the home that the system knows, which may not be this instance's: git is told where they are.
        string Own(string file) => Path.Combine(shared.Piku.Paths.AppData(AppName.Parse(_app)), file);
        File.Copy(Path.Combine(Client.Folder, "id_ed25519"), Own("deploy-key"));
        File.Copy(Path.Combine(Client.Folder, "known_hosts"), Own("known-hosts"));
        await Programs.RunAsync("chown", [$"{Owner.Of(Tree).User}:{Owner.Of(Tree).Group}", Own("deploy-key"), Own("known-hosts")]);
        await Client.CommandAsync("run", _app, $"git config --file .git/submodules.git/config core.sshCommand 'ssh -F none -i {Own("deploy-key")} -o UserKnownHostsFile={Own("known-hosts")}'");
        await _repository.PushAsync();
        await AssertSaysAsync("lib/page.html", "library by ssh");
        await Client.CommandAsync("destroy", _library.App);
    }

    private async Task<Task<CapturedRun>> BeginAsync()
    {
        await _repository.CommitAsync();
        var asked = _server.Asked;
        var push = Programs.CaptureAsync(_repository.Push());
        await Eventually.TrueAsync(() => _server.Asked > asked || push.IsCompleted, TimeSpan.FromSeconds(60));
        Assert.False(push.IsCompleted);
        return push;
    }

    private async Task LinkAsync(string? commit = null, string? address = null) =>
        await _repository.LinkAsync("public/lib", commit ?? await _library.HeadAsync(), address ?? _server.Address($"{_library.App}.git"));

    private async Task AssertRefusedAsync(string good, string sentence)
    {
        var refused = await _repository.TryPushAsync();
        Assert.False(refused.Status.Succeeded);
        Assert.True(refused.Error.Contains(sentence, StringComparison.Ordinal), $"no '{sentence}' in {refused.Error}");
        Assert.Equal(good, await _repository.RemoteHeadAsync());
        await AssertSaysAsync("lib/page.html", "library 1");
    }

    private Task AssertSaysAsync(string page, string text) => shared.Browser.AssertSaysAsync(shared.Browser.Http(_repository.Host, "/" + page), text);

    /// <summary>Commits what has changed, and serves it.</summary>
    private async Task PublishAsync(Repository repository)
    {
        await repository.CommitAsync();
        var bare = Path.Combine(Served, repository.App + ".git");
        if (!Directory.Exists(bare))
            await repository.GitAsync("init", "--quiet", "--bare", "--initial-branch=main", bare);
        await repository.GitAsync("push", "--quiet", bare, "main");
        await repository.GitAsync("--git-dir", bare, "update-server-info");
    }
}
