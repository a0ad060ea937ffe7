using System.Text;
using Piku.Core.Deploy;
using Piku.Core.Git;
using Piku.Core.Model;

namespace Piku.Tests.Deploy;

/// <summary>Releases on disk: their numbers, their end, and how many of them stay.</summary>
public sealed class ReleaseStoreTests : IDisposable
{
    private static readonly DeployTarget Target = new("main", new string('a', 40));
    private static readonly Deployer Ada = new("ada");

    private readonly TemporaryFolder _root = new();
    private readonly PikuPaths _paths;
    private readonly ReleaseStore _store;

    public ReleaseStoreTests()
    {
        _paths = new(_root.Path);
        _store = StoreOf("foo");
    }

    public void Dispose() => _root.Dispose();

    [Fact]
    public void A_release_is_read_as_it_was_written()
    {
        var release = _store.Begin("push", Target, Ada) with { Outcome = ReleaseOutcome.Failed, Reason = "no.", Duration = TimeSpan.FromSeconds(1.5), Dependencies = "d" };
        _store.Write(release);
        Assert.Equal(release, _store.Find(1));
        Assert.Equal(release, Assert.Single(_store.All()));
        Assert.Null(_store.Live());
    }

    [Fact]
    public void Apps_of_similar_names_have_releases_of_their_own()
    {
        _store.Begin("push", Target, Ada);
        Assert.Equal(1, StoreOf("foobar").Begin("push", Target, Ada).Number);
        Assert.Equal(2, _store.Begin("push", Target, Ada).Number);
        Assert.Single(StoreOf("foobar").All());
    }

    [Fact]
    public void Of_a_hundred_the_last_stay_with_the_live_one_and_the_good_one_before()
    {
        for (var number = 1; number <= 100; number++)
        {
            var release = _store.Begin("push", Target, Ada);
            _store.Write(release with { Outcome = number is 7 or 20 or 21 ? ReleaseOutcome.Succeeded : ReleaseOutcome.Failed });
        }
        _store.Prune(30);
        Assert.Equal([.. Enumerable.Range(71, 30).Reverse(), 21, 20], _store.All().Select(release => release.Number));
        Assert.Equal(21, _store.Live()!.Number);
        Assert.Equal(101, _store.Begin("push", Target, Ada).Number);
    }

    [Fact]
    public void Before_a_rollback_is_what_was_before_the_release_that_it_brought_back()
    {
        Succeed(null); // 1
        Succeed(null); // 2
        Succeed(null); // 3, which is broken
        Assert.Equal(2, _store.Previous()!.Number);
        Succeed(2); // 4
        Assert.Equal(1, _store.Previous()!.Number);
        Succeed(null); // 5, a push on top
        Assert.Equal(4, _store.Previous()!.Number);
        Succeed(4); // 6
        Assert.Equal(1, _store.Previous()!.Number);
        Succeed(1); // 7
        Assert.Null(_store.Previous());

        void Succeed(int? backTo) => _store.Write(_store.Begin("push", Target, Ada, backTo) with { Outcome = ReleaseOutcome.Succeeded });
    }

    [Fact]
    public void What_a_killed_server_has_left_running_has_failed()
    {
        var release = _store.Begin("push", Target, Ada);
        _store.EndInterrupted();
        Assert.Equal(release with { Outcome = ReleaseOutcome.Failed, Reason = ReleaseStore.Interrupted }, _store.Find(1));
        Assert.Equal($"Error: {ReleaseStore.Interrupted}\n", File.ReadAllText(_store.LogFile(1)));
        _store.EndWell(1);
        Assert.True(_store.Find(1)!.Succeeded);
    }

    [Fact]
    public async Task A_log_has_what_was_said_before_there_was_a_release_and_after()
    {
        var cancel = TestContext.Current.CancellationToken;
        using var sent = new MemoryStream();
        var said = new DeployLog(sent.WriteAsync);
        await said.StepAsync("Waiting", cancel);
        using (var log = new ReleaseLog(_root["log"]))
        {
            said.RecordIn(log);
            await said.LineAsync("é", cancel);
        }
        var recorded = await File.ReadAllBytesAsync(_root["log"], cancel);
        Assert.Equal(sent.ToArray(), recorded);
        await said.LineAsync("too late", cancel);
        Assert.Equal(recorded, await File.ReadAllBytesAsync(_root["log"], cancel));
    }

    [Fact]
    public async Task What_a_program_says_without_ending_its_line_is_not_glued_to_the_next()
    {
        var cancel = TestContext.Current.CancellationToken;
        using var sent = new MemoryStream();
        var said = new DeployLog(sent.WriteAsync);
        using (var log = new ReleaseLog(_root["log"]))
        {
            said.RecordIn(log);
            await said.Output("done"u8.ToArray(), cancel);
            await said.StepAsync("Next", cancel);
            await said.Output("half"u8.ToArray(), cancel);
            log.WriteLast("Error: no.\n");
        }
        Assert.Equal("done\n-----> Next\nhalf", Encoding.UTF8.GetString(sent.ToArray()));
        Assert.Equal("done\n-----> Next\nhalf\nError: no.\n", await File.ReadAllTextAsync(_root["log"], cancel));
    }

    [Fact]
    public void A_log_ends_at_its_limit_and_says_so()
    {
        using (var log = new ReleaseLog(_root["log"]))
        {
            var line = Encoding.ASCII.GetBytes(new string('x', 99_999) + "\n");
            for (var written = 0; written <= ReleaseLog.Limit + 200_000; written += line.Length)
                log.Write(line);
            log.WriteLast("Error: no.\n");
        }
        var text = File.ReadAllText(_root["log"]);
        Assert.InRange(text.Length, ReleaseLog.Limit, ReleaseLog.Limit + 200);
        Assert.EndsWith("\n[The log ends here: 4 MiB of a deploy are kept.]\nError: no.\n", text, StringComparison.Ordinal);
    }

    private ReleaseStore StoreOf(string app) => new(_paths, AppName.Parse(app), TimeProvider.System);
}
