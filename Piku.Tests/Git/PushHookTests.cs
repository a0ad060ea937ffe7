using System.Text;
using Piku.Core.Apps;
using Piku.Core.Git;
using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Tests.Git;

/// <summary>The hook and its pipes, with the real git on both sides of a push on this machine.</summary>
[NeedsMachine]
public sealed class PushHookTests : IAsyncLifetime
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    private readonly TemporaryFolder _root = new();
    private readonly PikuPaths _paths;
    private readonly GitProgram _git;
    private readonly GitRepository _repository;
    private readonly AppName _app = AppName.Parse("blog");

    public PushHookTests()
    {
        _paths = new(_root["piku"]);
        _git = new(Environment);
        _repository = new(_git, _paths, _app);
        Directory.CreateDirectory(_paths.Run);
        PushHook.Install(_paths);
    }

    private EnvMap Environment => EnvMap.Empty
        .With("HOME", _root.Path)
        .With("PATH", System.Environment.GetEnvironmentVariable("PATH")!)
        .With("GIT_AUTHOR_NAME", "a").With("GIT_AUTHOR_EMAIL", "a@example.org")
        .With("GIT_COMMITTER_NAME", "a").With("GIT_COMMITTER_EMAIL", "a@example.org");

    private string Client => _root["client"];

    public async ValueTask InitializeAsync()
    {
        await _repository.EnsureAsync(Cancel);
        Directory.CreateDirectory(Client);
        await _git.RunAsync(Client, ["init", "--quiet", "--initial-branch=main"], Cancel);
        await CommitAsync("Procfile", "web: true\n");
    }

    [Fact]
    public async Task A_push_waits_for_the_answer_and_shows_it()
    {
        using var hook = PushHook.Open(_paths, Owner.Self);
        var push = PushAsync(hook);
        var request = await hook.ReadAsync(Cancel);
        var update = Assert.Single(request.Updates);
        Assert.Equal("main", update.Branch);
        Assert.Null(await _repository.CommitOfAsync("main", Cancel));
        Assert.Equal("web: true\n", await _repository.FileOfAsync(update.New, "Procfile", request.Quarantine, Cancel));
        await hook.Answer.WriteAsync("-----> Deploying\n"u8.ToArray(), Cancel);
        // As 'setup' does, at any time.
        PushHook.Install(_paths);
        Assert.False(push.IsCompleted);
        hook.Finish(0);
        var (status, said) = await push;
        Assert.Equal(0, status);
        Assert.Contains("remote: -----> Deploying", said, StringComparison.Ordinal);
        Assert.Equal(update.New, await _repository.CommitOfAsync("main", Cancel));
    }

    [Fact]
    public async Task A_refusal_leaves_the_refs_and_no_objects()
    {
        using var hook = PushHook.Open(_paths, Owner.Self);
        var push = PushAsync(hook);
        var request = await hook.ReadAsync(Cancel);
        hook.Finish(1);
        Assert.NotEqual(0, (await push).Status);
        Assert.Null(await _repository.CommitOfAsync("main", Cancel));
        Assert.Null(await _repository.FileOfAsync(request.Updates[0].New, "Procfile", Quarantine.None, Cancel));
    }

    [Fact]
    public async Task Setting_piku_up_again_leaves_a_push_that_waits_alone()
    {
        using var hook = PushHook.Open(_paths, Owner.Self);
        var push = PushAsync(hook);
        await hook.ReadAsync(Cancel);

        Installer.Run(_paths);

        await hook.Answer.WriteAsync("-----> Deploying\n"u8.ToArray(), Cancel);
        hook.Finish(0);
        var (status, said) = await push;
        Assert.Equal(0, status);
        Assert.Contains("remote: -----> Deploying", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_daemon_that_goes_away_is_a_refusal()
    {
        var hook = PushHook.Open(_paths, Owner.Self);
        var push = PushAsync(hook);
        await hook.ReadAsync(Cancel);
        hook.Dispose();
        var (status, said) = await push;
        Assert.NotEqual(0, status);
        Assert.Contains("nothing has changed", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_commit_in_quarantine_can_be_checked_out_and_borrows_its_objects()
    {
        using var hook = PushHook.Open(_paths, Owner.Self);
        var push = PushAsync(hook);
        var request = await hook.ReadAsync(Cancel);
        var tree = new WorkTree(_git, _paths, _app);
        var target = DeployTarget.Choose(request.Updates, pinned: null)!;
        await tree.CheckOutAsync(target, request.Quarantine, TimeSpan.FromMinutes(1), Silence, Cancel);
        Assert.Equal("web: true\n", await File.ReadAllTextAsync(Path.Combine(_paths.App(_app), "Procfile"), Cancel));
        hook.Finish(0);
        await push;
        Assert.Equal(target, await tree.CurrentAsync(Cancel));
        Assert.Equal(0, (await _git.AskAsync(_paths.App(_app), ["fsck"], Quarantine.None, Cancel)).Status);
    }

    [Fact]
    public async Task Files_that_the_app_wrote_survive_a_checkout_and_files_that_went_are_removed()
    {
        await CommitAsync("gone", "1");
        var first = await PushedAsync();
        var tree = new WorkTree(_git, _paths, _app);
        await tree.CheckOutAsync(first, Quarantine.None, TimeSpan.FromMinutes(1), Silence, Cancel);
        await File.WriteAllTextAsync(Path.Combine(_paths.App(_app), "data.db"), "precious", Cancel);
        await _git.RunAsync(Client, ["rm", "--quiet", "gone"], Cancel);
        await CommitAsync("Procfile", "web: false\n");
        await tree.CheckOutAsync(await PushedAsync(), Quarantine.None, TimeSpan.FromMinutes(1), Silence, Cancel);
        Assert.Equal("precious", await File.ReadAllTextAsync(Path.Combine(_paths.App(_app), "data.db"), Cancel));
        Assert.False(File.Exists(Path.Combine(_paths.App(_app), "gone")));
        Assert.Equal("web: false\n", await File.ReadAllTextAsync(Path.Combine(_paths.App(_app), "Procfile"), Cancel));
    }

    [Fact]
    public async Task Two_first_pushes_at_once_make_one_repository()
    {
        var other = new GitRepository(_git, _paths, AppName.Parse("new"));
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => other.EnsureAsync(Cancel)));
        Assert.True(other.Exists);
        Assert.Equal(["blog", "new"], Directory.EnumerateDirectories(_paths.Repos).Select(Path.GetFileName).Order());
    }

    public ValueTask DisposeAsync()
    {
        _root.Dispose();
        return ValueTask.CompletedTask;
    }

    private static ValueTask Silence(ReadOnlyMemory<byte> bytes, CancellationToken cancel) => ValueTask.CompletedTask;

    private async Task CommitAsync(string file, string text)
    {
        await File.WriteAllTextAsync(Path.Combine(Client, file), text, Cancel);
        await _git.RunAsync(Client, ["add", "."], Cancel);
        await _git.RunAsync(Client, ["commit", "--quiet", "-m", file], Cancel);
    }

    private async Task<DeployTarget> PushedAsync()
    {
        using var hook = PushHook.Open(_paths, Owner.Self);
        var push = PushAsync(hook);
        var request = await hook.ReadAsync(Cancel);
        hook.Finish(0);
        Assert.Equal(0, (await push).Status);
        return DeployTarget.Choose(request.Updates, pinned: null)!;
    }

    private async Task<(int Status, string Said)> PushAsync(PushHook hook)
    {
        var said = new MemoryStream();
        var status = await ChildProcess.RunAsync(
            new()
            {
                Program = "git",
                Arguments = ["push", $"--receive-pack=git -c core.hooksPath={PushHook.HooksFolder(_paths)} receive-pack", _repository.Folder, "main"],
                Folder = Client,
                Environment = Environment.WithAll([hook.Variable]),
                Output = (bytes, _) =>
                {
                    said.Write(bytes.Span);
                    return ValueTask.CompletedTask;
                },
            },
            Cancel);
        return (status.ShellCode, Encoding.UTF8.GetString(said.ToArray()));
    }
}
