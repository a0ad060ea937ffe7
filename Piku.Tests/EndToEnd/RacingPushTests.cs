using Piku.Core.Machine;

namespace Piku.Tests.EndToEnd;

/// <summary>Two people who push different commits of one app at the same time.</summary>
[NeedsMachine]
public sealed class RacingPushTests(RunningPiku shared) : IClassFixture<RunningPiku>
{
    private const int Rounds = 50, RoundsInShort = 2;

    private PikuInstance Piku => shared.Piku;

    [Fact]
    public Task One_of_two_pushes_wins_and_nothing_is_mixed() => RaceAsync("racing", RoundsInShort);

    [Fact(Explicit = true)]
    public Task One_of_two_pushes_wins_in_fifty_rounds() => RaceAsync("racing-long", Rounds);

    private async Task RaceAsync(string app, int rounds)
    {
        var first = await Repository.WithFilesAsync(Piku.Client, app, ("Procfile", "static: public\n"), ("public/index.html", "begin"));
        first.Write("ENV", $"NGINX_SERVER_NAME={first.Host}\n");
        await first.PushAsync();
        var second = await Repository.WithFilesAsync(Piku.Client, app + "-second");
        for (var round = 0; round < rounds; round++)
        {
            await PullAsync(first, app);
            await PullAsync(second, app);
            await ChangeAsync(first, $"first {round}");
            await ChangeAsync(second, $"second {round}");

            var runs = await Task.WhenAll(PushAsync(first, app), PushAsync(second, app));

            Assert.Single(runs, run => run.Status.Succeeded);
            var winner = runs[0].Status.Succeeded ? ("first", first) : ("second", second);
            Assert.Equal(await winner.Item2.HeadAsync(), await first.RemoteHeadAsync());
            await shared.Browser.AssertSaysAsync(shared.Browser.Http(first.Host), $"{winner.Item1} {round}");
            Assert.Equal($"{winner.Item1} {round}", await File.ReadAllTextAsync(Path.Combine(Piku.Paths.Apps, app, "public", "index.html")));
        }
        await Piku.Client.CommandAsync("destroy", app);
    }

    private Task<CapturedRun> PushAsync(Repository repository, string app) =>
        Programs.CaptureAsync(Piku.Client.Git(repository.Folder, "push", Piku.Client.Remote(app), "main"));

    private async Task PullAsync(Repository repository, string app)
    {
        var fetch = await Programs.CaptureAsync(Piku.Client.Git(repository.Folder, "fetch", Piku.Client.Remote(app), "main"));
        Assert.True(fetch.Status.Succeeded, fetch.Error);
        await Programs.RunAsync("git", ["reset", "--quiet", "--hard", "FETCH_HEAD"], repository.Folder);
    }

    private static async Task ChangeAsync(Repository repository, string text)
    {
        repository.Write("public/index.html", text);
        await repository.CommitAsync();
    }
}
