using System.Text;
using System.Text.RegularExpressions;
using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Tests.EndToEnd;

/// <summary>An app's text files and settings, as somebody with a first app meets them.</summary>
[NeedsMachine]
public sealed partial class AppFilesTests(RunningPiku shared) : IClassFixture<RunningPiku>
{
    private PikuInstance Piku => shared.Piku;

    private Client Client => Piku.Client;

    [Fact]
    public async Task Settings_are_exact_and_a_change_that_fails_or_is_none_changes_nothing()
    {
        var repository = await Repository.WithFilesAsync(Client, "exact",
            ("Procfile", "release: echo released; test -z \"$FAIL\"\nworker: exec sleep 1000\n"), ("ENV", "\uFEFFexport A=file\r\n  # c\r\nCP=$HOME/x\r\n"), ("SCALING", "worker:2\n"));
        Assert.Contains("Spawning 'exact:worker.2'", await repository.PushAsync(), StringComparison.Ordinal);

        var none = await Client.SshAsync("config", "exact");
        Assert.Equal((0, "", "Nothing is set with config:set for 'exact'. 'config:live exact' shows what it runs with.\n"), (none.Status.Code, none.Output, none.Error));
        Assert.Equal("file\n", await Client.CommandAsync("config:get", "exact", "A"));
        Assert.Matches("^/.*[^$]/x\n$", await Client.CommandAsync("config:get", "exact", "CP"));
        Assert.Contains("'NOPE' is not set for app 'exact'", (await Client.SshAsync("config:get", "exact", "NOPE")).Error, StringComparison.Ordinal);

        await Client.CommandAsync("config:set", "exact", "'B=two words'", "D=1");
        var releases = await Client.CommandAsync("releases", "exact");
        foreach (var (words, sentence) in new (string[], string)[]
        {
            (["config:set", "exact", "F=one", "two"], "'two' is not NAME=value. A value with blanks needs quotes that arrive here"),
            (["config:set", "exact", "BAD-NAME=1"], "'BAD-NAME' is not the name of a variable"),
            (["config:set", "exact", "'F=x\n'"], "the value of 'F' begins or ends with a blank or a line break"),
            (["config:set", "exact", "'F=x '"], "the value of 'F' begins or ends with a blank or a line break"),
            (["ps:scale", "exact", "release=2"], "'release' runs once at each deploy"),
        })
        {
            var refused = await Client.SshAsync(words);
            Assert.Equal(1, refused.Status.Code);
            Assert.Contains(sentence, refused.Error, StringComparison.Ordinal);
        }
        var bytes = await Programs.CaptureAsync(Client.Ssh() with
        {
            Program = "sh",
            Arguments = ["-c", $"exec ssh \"$@\" \"$(printf 'config:set exact F=caf\\351')\"", "sh", .. Client.Ssh().Arguments],
        });
        Assert.Equal((2, true), (bytes.Status.Code, bytes.Error.Contains("the command has a byte that is not UTF-8, or a NUL", StringComparison.Ordinal)));
        var local = Piku.Local("config:set", "exact");
        bytes = await Programs.CaptureAsync(local with { Program = "sh", Arguments = ["-c", "exec \"$@\" \"$(printf 'F=caf\\351')\"", "sh", local.Program, .. local.Arguments] });
        Assert.Equal((2, true), (bytes.Status.Code, bytes.Error.Contains("the command has a byte that is not UTF-8, or a NUL", StringComparison.Ordinal)));
        Assert.Contains("D has that value already.\n-----> Nothing has changed, so 'exact' is not deployed.", await Client.CommandAsync("config:set", "exact", "D=1"), StringComparison.Ordinal);
        Assert.Contains("A is not set with config:set.\n-----> Nothing has changed", await Client.CommandAsync("config:unset", "exact", "A"), StringComparison.Ordinal);
        Assert.Contains("Nothing has changed: worker=2 is how 'exact' runs already.", await Client.CommandAsync("ps:scale", "exact", "worker=2"), StringComparison.Ordinal);
        Assert.Equal(releases, await Client.CommandAsync("releases", "exact"));

        var failed = await Client.SshAsync("config:set", "exact", "FAIL=1", "D=2");
        Assert.Equal(1, failed.Status.Code);
        Assert.EndsWith("The settings are as they were.\n", failed.Error, StringComparison.Ordinal);
        Assert.Equal("B=two words\nD=1\n", await Client.CommandAsync("config", "exact"));
        await Client.CommandAsync("restart", "exact");
        Assert.Equal("two words 1 unset\n", await Client.CommandAsync("run", "exact", "echo $B $D ${FAIL-unset}"));

        Assert.DoesNotContain("released", await Client.CommandAsync("ps:scale", "exact", "worker=1"), StringComparison.Ordinal);
        Assert.Equal("worker:1\n", await Client.CommandAsync("ps", "exact"));
        await Client.CommandAsync("stop", "exact");
        await Client.CommandAsync("config:set", "exact", "D=3");
        Assert.Equal("3\n", await Client.CommandAsync("config:get", "exact", "D"));
        await Client.CommandAsync("destroy", "exact");
    }

    [Fact]
    public async Task A_first_push_with_a_command_that_ends_by_itself_says_the_way_that_works()
    {
        var repository = await Repository.WithFilesAsync(Client, "ending", ("Procfile", "task: echo done\nworker: exec sleep 1000\n"));
        var refused = await repository.TryPushAsync();
        Assert.False(refused.Status.Succeeded);
        Assert.Contains("If 'task' is meant to end by itself, do not keep it running: put the line 'task:0' into a file SCALING beside the Procfile, and push again.", Plain(refused.Error), StringComparison.Ordinal);

        Assert.Contains("The next start of 'ending' has that scaling.", await Client.CommandAsync("ps:scale", "ending", "task=0"), StringComparison.Ordinal);
        await File.WriteAllBytesAsync(Path.Combine(repository.Folder, "ENV"), Encoding.Latin1.GetBytes("A=1\nLAT=café\n"), TestContext.Current.CancellationToken);
        Assert.Contains("ENV line 2 has a byte that is not UTF-8: save the file as UTF-8.", (await repository.TryPushAsync()).Error, StringComparison.Ordinal);

        await File.WriteAllBytesAsync(Path.Combine(repository.Folder, "ENV"), [0xFF, 0xFE, .. Encoding.Unicode.GetBytes("UTF16=café\r\n")], TestContext.Current.CancellationToken);
        await repository.PushAsync();
        Assert.Equal("task:0\nworker:1\n", await Client.CommandAsync("ps", "ending"));
        Assert.Equal("café\n", await Client.CommandAsync("config:get", "ending", "UTF16"));
        await Client.CommandAsync("destroy", "ending");
    }

    [Fact]
    public async Task A_folder_with_an_index_page_is_a_site_and_its_name_is_refused_to_others_before_they_build()
    {
        var site = await Repository.WithFilesAsync(Client, "pages", ("index.html", "the page"), ("ENV", "NGINX_SERVER_NAME=pages.localhost\n"));
        Assert.Contains("there is no Procfile; because there is an index.html, it is taken to be 'static: .'.", Plain(await site.PushAsync()), StringComparison.Ordinal);
        await shared.Browser.AssertSaysAsync(shared.Browser.Http("pages.localhost"), "the page");

        var late = await Repository.WithFilesAsync(Client, "late", ("Procfile", "release: echo released\nstatic: .\n"), ("ENV", "NGINX_SERVER_NAME=pages.localhost\n"));
        var refused = (await late.TryPushAsync()).Error;
        Assert.Contains("belongs to the app 'pages' already", refused, StringComparison.Ordinal);
        Assert.DoesNotContain("released", refused, StringComparison.Ordinal);
        await Client.CommandAsync("destroy", "pages");
    }

    [Fact]
    public async Task A_job_that_is_due_runs_once_in_its_minute_whatever_is_restarted()
    {
        var app = AppName.Parse("punctual");
        var repository = await Repository.WithFilesAsync(Client, app.Value, ("Procfile", "cron: * * * * * echo $(($(date +%s) / 60)) \"it's 5%\" >>$DATA_ROOT/runs\n"));
        await repository.PushAsync();
        var (runs, log) = (Path.Combine(Piku.Paths.AppData(app), "runs"), Path.Combine(Piku.Paths.AppLogs(app), "cron.1.log"));
        for (var start = 1; start <= 3; start++)
        {
            await Eventually.TrueAsync(
                () => File.Exists(log) && CronEnded().Count(AtomicFile.ReadIfExists(log)!) >= start, TimeSpan.FromSeconds(90), () => $"the job was not started after start {start}");
            if (start < 3)
                await Client.CommandAsync("restart", app.Value);
        }
        var lines = (await File.ReadAllLinesAsync(runs, TestContext.Current.CancellationToken)).Select(line => line.Split(' ', 2)).ToArray();
        Assert.Equal(lines.Select(line => line[0]).Distinct(), lines.Select(line => line[0]));
        Assert.All(lines, line => Assert.Equal("it's 5%", line[1]));
        await Client.CommandAsync("destroy", app.Value);
    }

    /// <summary>Without git's mark of what the server says.</summary>
    private static string Plain(string said) => said.Replace("remote: ", "", StringComparison.Ordinal);

    [GeneratedRegex(@"\[uwsgi-cron\] command .* exited")]
    private static partial Regex CronEnded();
}
