using System.Diagnostics;
using System.Text;
using CsCheck;
using Piku.Core.Formats;
using Piku.Core.Model;

namespace Piku.Tests.Formats;

/// <summary>What the real uWSGI makes of the files we write: the process it starts must see exactly the values given.</summary>
public sealed class UwsgiIniTests : IDisposable
{
    private static readonly string[] HostileValues =
    [
        "", "plain", "two  words", "a=b", "\"quoted\"", "'single'", "`id`", "# no comment", "; no comment", "a # b ; c",
        "%", "%%", "%d %s %n %p %v %U", "100%", "%(", "%()", "%(listen)", "%(no such)", "%(a b)", "%(asctime)s %(processes)d", "%%(listen)", "%((listen))",
        "$", "$HOME", "${HOME}", "$(HOME)", "$$(HOME)", "$($(HOME))", "$(id)", "$()", "$(", "$1 $2 $3 $4 $31 $11", "$",
        "@(/etc/hostname)", "@(exec://id)", "@(", "@(/nonexistent", "$(@(%(listen)))", "%@$(HOME)", "$%(listen)(HOME)",
        "a;b;;c;", ";", ";;", "$;%", "$(HOME);%(listen);@(/etc/hostname)", "\\", "\\\\", "a\\", "\\n", "\\$(HOME)",
        "[uwsgi]", "[other]", "exec-asap = touch x", "]", "text-1", "café ☃ 🚀", "\u0001\u001b[31m\u007f", "\u2028\u0085",
        " leading", "trailing ", "\tboth\t", " ", "\u00a0", " $(HOME) ", "end", "{\"json\": [1, 2]}", "-----BEGIN KEY-----",
    ];

    private readonly string _folder = Directory.CreateTempSubdirectory("piku-ini-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [NeedsMachine]
    [Fact]
    public async Task A_process_sees_exactly_the_hostile_values() =>
        await AssertSeen(HostileValues.Select((value, index) => KeyValuePair.Create($"V{index}", value)));

    [NeedsMachine]
    [Fact]
    public async Task A_process_sees_exactly_the_random_values()
    {
        var values = new List<KeyValuePair<string, string>>();
        Gen.String[Gen.Char["$%@;(()) \t\\\"'=#[1uid/é"], 0, 30].Sample(value =>
        {
            lock (values)
                values.Add(new($"V{values.Count}", value));
        }, iter: 300);
        await AssertSeen(values);
    }

    [NeedsMachine]
    [Theory]
    [InlineData("x")]
    [InlineData("%")]
    [InlineData("$(HOME)")]
    [InlineData("%(a b);")]
    public async Task A_process_sees_all_of_64_KiB(string repeated) =>
        await AssertSeen([new("LONG", new StringBuilder().Insert(0, repeated, 65536 / repeated.Length).ToString())]);

    [NeedsMachine]
    [Fact]
    public async Task Any_option_can_be_given_any_text()
    {
        var file = Path.Combine(_folder, "it's 100% $(HOME)");
        await Run([UwsgiSetting.Text("exec-asap", $"echo \"a  b;$((1+1))%(listen)\" > {ShellWords.Quote(file)}")]);
        Assert.Equal("a  b;2%(listen)\n", await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
    }

    [Fact]
    public void Plain_values_stay_readable_and_syntax_stays_syntax() => Assert.Equal(
        """
        [uwsgi]
        chdir = /home/piku/.piku/apps/blog
        env = RATE=100%%
        log-format = %%(addr)

        """,
        UwsgiIni.Write([
            UwsgiSetting.Text("chdir", "/home/piku/.piku/apps/blog"),
            UwsgiSetting.Env("RATE", "100%"),
            UwsgiSetting.Syntax("log-format", "%%(addr)"),
        ]));

    [Theory]
    [InlineData("[uwsgi]\nenv = A=1\nenv = B=2\n", "[uwsgi]\nunenv = B\nenv = A=x\n")]
    [InlineData("[uwsgi]\nunenv = C\nenv = A=1\n", "[uwsgi]\nunenv = C\nenv = A=x\n")]
    [InlineData("[uwsgi]\nenv = A=2\n", "[uwsgi]\nenv = A=x\n")]
    [InlineData("[uwsgi]\nplugin = env\nenv-x = D=1\n", "[uwsgi]\nenv = A=x\n")]
    [InlineData("[uwsgi]\nenv=B = 2\n", "[uwsgi]\nunenv = B\nenv = A=x\n")]
    [InlineData(null, "[uwsgi]\nenv = A=x\n")]
    public void A_file_takes_away_what_the_one_before_has_set(string? before, string written) =>
        Assert.Equal(written, UwsgiIni.Replacing(before, UwsgiIni.Write([UwsgiSetting.Env("A", "x")])));

    [Fact]
    public void Names_are_found_however_they_are_written()
    {
        var after = UwsgiIni.Write([UwsgiSetting.Env("A", "$(x)")]);
        foreach (var name in (string[])["plain", "100%", "a;b", "$HOME", "a$(b)", "%(c)d", "@(e)"])
        {
            var before = UwsgiIni.Write([UwsgiSetting.Env(name, "$(value)")]);
            var once = UwsgiIni.Replacing(before, after);
            Assert.NotEqual(after, once);
            // Another file that has the name needs nothing more, and one that comes after that still takes it away.
            Assert.Equal(before, UwsgiIni.Replacing(before, before));
            Assert.Equal(once, UwsgiIni.Replacing(once, after));
            Assert.Equal(once, UwsgiIni.Replacing(once, once));
        }
    }

    [Theory]
    [InlineData("env", "A=a\nexec-asap = id")]
    [InlineData("env", "A=a\rb")]
    [InlineData("env", "A=a\0b")]
    [InlineData("bad\noption", "x")]
    [InlineData("[section]", "x")]
    [InlineData("", "x")]
    public void What_no_ini_file_can_hold_is_refused(string option, string value)
    {
        Assert.Throws<UserError>(() => UwsgiIni.Write([UwsgiSetting.Text(option, value)]));
        Assert.Throws<UserError>(() => UwsgiIni.Write([UwsgiSetting.Syntax(option, value)]));
    }

    private async Task AssertSeen(IEnumerable<KeyValuePair<string, string>> variables)
    {
        var expected = variables.ToArray();
        var dump = Path.Combine(_folder, "environ");
        await Run([
            UwsgiSetting.Text("listen", "48"),
            UwsgiSetting.Text("processes", "2"),
            .. expected.Select(pair => UwsgiSetting.Env(pair.Key, pair.Value)),
            UwsgiSetting.Text("exec-asap", $"cat /proc/self/environ > {dump}"),
        ]);
        var seen = (await File.ReadAllTextAsync(dump, TestContext.Current.CancellationToken)).Split('\0')
            .Where(line => line.Contains('=', StringComparison.Ordinal))
            .ToDictionary(line => line[..line.IndexOf('=', StringComparison.Ordinal)], line => line[(line.IndexOf('=', StringComparison.Ordinal) + 1)..]);
        Assert.All(expected, pair => Assert.Equal(pair.Value, seen.GetValueOrDefault(pair.Key)));
        Assert.False(File.Exists(Path.Combine(_folder, "x")), "a value became configuration");
    }

    private async Task Run(IEnumerable<UwsgiSetting> settings)
    {
        var ini = Path.Combine(_folder, "app.ini");
        await File.WriteAllTextAsync(ini, UwsgiIni.Write(settings), TestContext.Current.CancellationToken);
        using var uwsgi = Process.Start(new ProcessStartInfo("uwsgi", ["--ini", ini, "--no-server"])
        {
            WorkingDirectory = _folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(60));
        try
        {
            var output = uwsgi.StandardOutput.ReadToEndAsync(limit.Token);
            var errors = await uwsgi.StandardError.ReadToEndAsync(limit.Token);
            await uwsgi.WaitForExitAsync(limit.Token);
            Assert.True(uwsgi.ExitCode == 0, await output + errors);
        }
        finally
        {
            if (!uwsgi.HasExited)
                uwsgi.Kill(entireProcessTree: true);
        }
    }
}
