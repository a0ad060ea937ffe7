using System.Diagnostics;
using System.IO.Compression;
using Piku.Core.Machine;

namespace Piku.Tests.EndToEnd;

/// <summary>Every deploy is a release that can be read about and gone back to.</summary>
[NeedsMachine]
public sealed class RollbackTests(RunningPiku shared) : IClassFixture<RunningPiku>
{
    private Client Client => shared.Piku.Client;

    [Fact]
    public async Task The_log_of_a_failed_push_is_what_its_pusher_saw()
    {
        var repository = await Repository.WithFilesAsync(
            Client, "failing", ("Procfile", "preflight: printf 'one\\ttab\\nüber\\n'; echo err >&2; exit 3\nworker: sleep 1000\n"), ("package.json", "{}"));
        await repository.CommitAsync();
        var refused = await Programs.CaptureAsync(repository.Push());
        Assert.False(refused.Status.Succeeded);

        var log = await Client.CommandAsync("releases:log", "failing");

        // git shows the lines of the hook behind "remote: ", and pads them with blanks where a terminal has longer ones.
        var seen = refused.Error.Split('\n').Where(line => line.StartsWith("remote: ", StringComparison.Ordinal)).Select(line => line["remote: ".Length..].TrimEnd());
        Assert.Equal(log, string.Concat(seen.Where(line => line.Length > 0).Select(line => line + "\n")));
        Assert.Contains("one\ttab\nüber\nerr\nError: the preflight command", log, StringComparison.Ordinal);
        Assert.Contains("failed: the preflight command", await Client.CommandAsync("releases", "failing"), StringComparison.Ordinal);
        var none = await Client.SshAsync("rollback", "failing");
        Assert.Contains("no release before", none.Error, StringComparison.Ordinal);
        await Client.CommandAsync("destroy", "failing");
        Directory.Delete(repository.Folder, recursive: true);
    }

    [Fact]
    public async Task A_rollback_brings_back_code_settings_and_dependencies_faster_than_a_deploy()
    {
        var repository = await Repository.FromExampleAsync(Client, "python-wsgi", "returning");
        repository.Write("app.py", "import os, greeting\ndef app(e, start):\n    start('200 OK', [])\n    return [f\"version {greeting.VERSION} {os.environ.get('MOOD', 'calm')}\".encode()]\n");
        await UseGreetingAsync(repository, 1);
        var watch = Stopwatch.StartNew();
        await repository.PushAsync();
        var deploy = watch.Elapsed;
        var first = await repository.HeadAsync();
        await UseGreetingAsync(repository, 2);
        await repository.PushAsync();
        await Client.CommandAsync("config:set", "returning", "MOOD=wild");
        await shared.Browser.AssertSaysAsync(shared.Browser.Http(repository.Host), "version 2 wild");

        watch.Restart();
        var said = await Client.CommandAsync("rollback", "returning", "1");
        var rollback = watch.Elapsed;

        await shared.Browser.AssertSaysAsync(shared.Browser.Http(repository.Host), "version 1 calm");
        Assert.DoesNotContain("Running pip", said, StringComparison.Ordinal);
        Assert.Equal(await repository.HeadAsync(), await repository.RemoteHeadAsync());
        TestContext.Current.TestOutputHelper!.WriteLine($"deploy {deploy.TotalSeconds:0.00} s, rollback {rollback.TotalSeconds:0.00} s, ratio {rollback / deploy:0.00}");

        await Client.CommandAsync("config:set", "returning", "MOOD=quiet");
        await shared.Browser.AssertSaysAsync(shared.Browser.Http(repository.Host), "version 1 quiet");
        Assert.Contains(first[..10], await Client.CommandAsync("releases", "returning"), StringComparison.Ordinal);
        said = await Client.CommandAsync("rollback", "returning", "2", "--keep-config");
        Assert.DoesNotContain("Running pip", said, StringComparison.Ordinal);
        await shared.Browser.AssertSaysAsync(shared.Browser.Http(repository.Host), "version 2 quiet");
        Assert.Contains("*6", await Client.CommandAsync("releases", "returning"), StringComparison.Ordinal);
        Assert.Contains("dependencies of earlier releases", await Client.CommandAsync("disk", "returning"), StringComparison.Ordinal);
        await Client.CommandAsync("destroy", "returning");
        Assert.False(Directory.Exists(shared.Piku.Paths.State + "/returning"));
    }

    [Fact]
    public async Task A_rollback_that_fails_leaves_settings_and_version_and_says_why()
    {
        var repository = await Repository.WithFilesAsync(
            Client, "stuck", ("Procfile", "release: test \"$MOOD\" != wild || test -e allowed\nworker: sleep 1000\n"), ("package.json", "{}"), ("allowed", ""));
        await repository.PushAsync();
        await Client.CommandAsync("config:set", "stuck", "MOOD=wild");
        await Client.CommandAsync("config:set", "stuck", "MOOD=tame");
        await Client.CommandAsync("run", "stuck", "rm -f allowed; git update-index --assume-unchanged allowed; git update-index --skip-worktree allowed");

        Assert.Contains("'stuck' has no release 99", (await Client.SshAsync("rollback", "stuck", "99")).Error, StringComparison.Ordinal);
        Assert.Contains("the one that runs", (await Client.SshAsync("rollback", "stuck", "3")).Error, StringComparison.Ordinal);
        var refused = await Client.SshAsync("rollback", "stuck", "2");

        Assert.False(refused.Status.Succeeded, refused.Output);
        Assert.Equal("MOOD=tame\n", await Client.CommandAsync("config", "stuck"));
        Assert.EndsWith(refused.Error, await Client.CommandAsync("releases:log", "stuck"), StringComparison.Ordinal);
        Assert.Contains("never ran", (await Client.SshAsync("rollback", "stuck", "4")).Error, StringComparison.Ordinal);
        await Client.CommandAsync("rollback", "stuck", "2", "--skip-release");
        Assert.Equal("MOOD=wild\n", await Client.CommandAsync("config", "stuck"));
        await Client.CommandAsync("destroy", "stuck");
    }

    /// <summary>Against the packets themselves, since git decorates what it shows (gitprotocol-pack(5), side-band-64k).</summary>
    [Fact]
    public async Task The_log_of_a_failed_push_is_what_was_sent_byte_for_byte()
    {
        var repository = await Repository.WithFilesAsync(Client, "verbatim", ("requirements.txt", ""), ("Procfile",
            """
            preflight: cat all-bytes; printf 'at 10%%\rat 100%%\r\n'; head -c 1000000 /dev/zero | tr '\0' x; echo; printf '\033[31mred\033[0m no end'; exit 3
            worker: sleep 1000

            """));
        await File.WriteAllBytesAsync(Path.Combine(repository.Folder, "all-bytes"), [.. Enumerable.Range(0, 100_000).Select(i => (byte)(i * 7 + i / 256))], TestContext.Current.CancellationToken);
        await repository.CommitAsync();

        var (progress, report) = await ReceivePack.PushAsync(Client, repository, "main");

        Assert.Contains("ng refs/heads/main pre-receive hook declined", report, StringComparison.Ordinal);
        var log = await File.ReadAllBytesAsync(Path.Combine(shared.Piku.Paths.State, "verbatim/releases/1/log"), TestContext.Current.CancellationToken);
        Assert.True(log.Length > 1_100_000);
        Assert.True(log.AsSpan().SequenceEqual(progress), $"{log.Length} bytes in the log, {progress.Length} sent");
        using var told = new MemoryStream();
        await ChildProcess.RunAsync(Client.Ssh("releases:log", "verbatim") with { Output = (bytes, _) => told.WriteAsync(bytes, CancellationToken.None) }, TestContext.Current.CancellationToken);
        Assert.True(told.ToArray().AsSpan().SequenceEqual(log));
        Assert.EndsWith("no end\nError: the preflight command of the Procfile failed with exit status 3.\n", System.Text.Encoding.Latin1.GetString(log), StringComparison.Ordinal);
        await Client.CommandAsync("destroy", "verbatim");
    }

    [Fact]
    public async Task Commits_that_a_force_push_has_dropped_can_be_gone_back_to_after_a_collection()
    {
        var repository = await Repository.FromExampleAsync(Client, "static", "dropping");
        await repository.PushAsync();
        foreach (var version in new[] { "two", "three" })
        {
            repository.Write("public/index.html", $"version {version}");
            await repository.GitAsync("checkout", "--quiet", "--orphan", version);
            await repository.CommitAsync();
            await repository.GitAsync("push", "--force", Client.Remote("dropping"), "HEAD:main");
        }
        repository.Write("Procfile", "preflight: exit 1\nstatic: public\n");
        await repository.CommitAsync();
        var failed = await repository.HeadAsync();
        Assert.False((await Programs.CaptureAsync(Client.Git(repository.Folder, "push", Client.Remote("dropping"), "HEAD:main"))).Status.Succeeded);

        var bare = Path.Combine(shared.Piku.Paths.Repos, "dropping");
        await Client.CommandAsync("run", "dropping", $"git -C {bare} reflog expire --expire=now --all; git -C {bare} gc --quiet --prune=now; git gc --quiet --prune=now");

        Assert.NotEqual(0, (await Client.SshAsync("run", "dropping", $"git -C {bare} cat-file -e {failed}")).Status.Code);
        await Client.CommandAsync("rollback", "dropping", "1");
        await shared.Browser.AssertSaysAsync(shared.Browser.Http(repository.Host), "version 1");
        await Client.CommandAsync("rollback", "dropping", "2");
        await shared.Browser.AssertSaysAsync(shared.Browser.Http(repository.Host), "version two");
        await Client.CommandAsync("deploy", "dropping");
        await shared.Browser.AssertSaysAsync(shared.Browser.Http(repository.Host), "version three");
        await Client.CommandAsync("destroy", "dropping");
    }

    [Fact]
    public async Task The_refs_that_keep_releases_are_shown_to_nobody()
    {
        var repository = await Repository.WithFilesAsync(Client, "hidden", ("Procfile", "worker: sleep 1000\n"), ("package.json", "{}"));
        await repository.PushAsync();
        // The pusher need not wait for it.
        await Eventually.TrueAsync(() => File.Exists(Path.Combine(shared.Piku.Paths.Repos, "hidden/refs/piku/releases/1")));
        var listed = await Programs.CaptureAsync(Client.Git(repository.Folder, "ls-remote", Client.Remote("hidden")));
        Assert.DoesNotContain("piku", listed.Output, StringComparison.Ordinal);
        var pushed = await Programs.CaptureAsync(Client.Git(repository.Folder, "push", Client.Remote("hidden"), "main:refs/piku/releases/9"));
        Assert.False(pushed.Status.Succeeded, pushed.Error);
        await Client.CommandAsync("destroy", "hidden");
    }

    /// <summary>A wheel of our own, since an index may be out of reach.</summary>
    private static async Task UseGreetingAsync(Repository repository, int version)
    {
        repository.Write("requirements.txt", $"--no-index\n--find-links ${{VIRTUAL_ENV}}/../../apps/{repository.App}/vendor\ngreeting=={version}\n");
        Directory.CreateDirectory(Path.Combine(repository.Folder, "vendor"));
        var info = $"greeting-{version}.dist-info";
        await using var wheel = await ZipFile.OpenAsync(Path.Combine(repository.Folder, "vendor", $"greeting-{version}-py3-none-any.whl"), ZipArchiveMode.Create);
        foreach (var (name, text) in new[]
        {
            ("greeting.py", $"VERSION = {version}\n"),
            ($"{info}/METADATA", $"Metadata-Version: 2.1\nName: greeting\nVersion: {version}\n"),
            ($"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n"),
            ($"{info}/RECORD", $"greeting.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n"),
        })
        {
            await using var writer = new StreamWriter(await wheel.CreateEntry(name).OpenAsync());
            await writer.WriteAsync(text);
        }
    }
}
