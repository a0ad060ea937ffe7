using Piku.Core.Logs;
using Piku.Core.Model;

namespace Piku.Tests.Logs;

public sealed class LogFollowerTests : IDisposable
{
    private readonly TemporaryFolder _root = new();
    private readonly PikuPaths _paths;
    private readonly AppName _app = AppName.Parse("blog");

    public LogFollowerTests()
    {
        _paths = new(_root.Path);
        Directory.CreateDirectory(_paths.AppLogs(_app));
    }

    [Fact]
    public async Task The_last_twenty_lines_of_each_log_come_first()
    {
        Append("web.1.log", Enumerable.Range(1, 5000).Select(n => $"line {n}"));
        Append("worker.1.log", ["only"]);
        var lines = await TakeAsync(21);
        Assert.Equal("web.1    | line 4981", lines[0]);
        Assert.Equal("web.1    | line 5000", lines[19]);
        Assert.Equal("worker.1 | only", lines[20]);
    }

    [Fact]
    public async Task Added_lines_follow_through_rotation_and_truncation()
    {
        Append("web.1.log", ["first"]);
        var seen = new List<string>();
        await foreach (var line in new LogFollower(_paths).FollowAsync(_app, null, Bounded()))
        {
            seen.Add(line.Split("| ")[1]);
            switch (seen.Count)
            {
                case 1:
                    Append("web.1.log", ["before rotation"]);
                    File.Move(Log("web.1.log"), Log("web.1.log.old"));
                    Append("web.1.log", ["after rotation"]);
                    break;
                case 3:
                    File.WriteAllText(Log("web.1.log"), "cut\n");
                    break;
                case 4:
                    Append("cron.1.log", ["a new worker"]);
                    break;
                default:
                    break;
            }
            if (seen.Count == 5)
                break;
        }
        Assert.Equal(["first", "before rotation", "after rotation", "cut", "a new worker"], seen);
    }

    [Fact]
    public async Task A_log_that_was_just_begun_anew_is_continued_backwards()
    {
        Append("web.1.log.old", Enumerable.Range(1, 30).Select(n => $"line {n}"));
        Append("web.1.log", ["line 31", "line 32"]);
        Append("worker.1.log.old", ["before"]);
        Append("worker.1.log", []);
        Assert.Equal(
            [.. Enumerable.Range(13, 20).Select(n => $"web.1    | line {n}"), "worker.1 | before"],
            await TakeAsync(21));
    }

    [Theory]
    [InlineData("web", 2)]
    [InlineData("web.2", 1)]
    public async Task A_process_or_a_kind_can_be_chosen(string process, int count)
    {
        foreach (var name in new[] { "web.1.log", "web.2.log", "website.1.log" })
            Append(name, [name]);
        Assert.All(await TakeAsync(count, process), line => Assert.StartsWith("web.", line, StringComparison.Ordinal));
    }

    [Fact]
    public async Task No_log_is_a_sentence() =>
        await Assert.ThrowsAsync<UserError>(() => TakeAsync(1, "nope"));

    [Fact]
    public async Task A_log_without_line_ends_comes_in_pieces()
    {
        File.WriteAllText(Log("web.1.log"), new string('x', 300_000));
        Assert.All(await TakeAsync(4), line => Assert.True(line.Length < 100_000));
    }

    public void Dispose() => _root.Dispose();

    private async Task<List<string>> TakeAsync(int count, string? process = null)
    {
        var lines = new List<string>();
        await foreach (var line in new LogFollower(_paths).FollowAsync(_app, process, Bounded()))
        {
            lines.Add(line);
            if (lines.Count == count)
                break;
        }
        return lines;
    }

    private static CancellationToken Bounded() => TestContext.Current.CancellationToken;

    private string Log(string name) => Path.Combine(_paths.AppLogs(_app), name);

    private void Append(string name, IEnumerable<string> lines) => File.AppendAllLines(Log(name), lines);
}
