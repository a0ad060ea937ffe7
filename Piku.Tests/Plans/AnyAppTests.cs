using System.Text.Json;
using CsCheck;
using Piku.Core.Formats;
using Piku.Core.Model;
using Piku.Core.Workers;

namespace Piku.Tests.Plans;

/// <summary>
/// Any Procfile and ENV whatsoever gives a clear error, or files that nginx and uWSGI accept and an app that sees
/// exactly what was set.
/// </summary>
[NeedsMachine]
public sealed class AnyAppTests : IDisposable
{
    private const int Tries = 120;

    /// <summary>Tells what it sees as soon as it is loaded.</summary>
    private const string TellTale =
        """
        import json, os
        with open(os.path.join(os.path.dirname(__file__), 'seen'), 'w') as seen:
            json.dump({k.decode(): v.decode() for k, v in os.environb.items()}, seen)
        def app(e, s): pass
        """;

    private static readonly Gen<string> Bite = Gen.OneOf(
        "%", "%%", "%d", "$", "$(id)", "@(/etc/passwd)", "%(uid)", "${PATH}", "$HOME", ";", "{", "}", "\"", "'", "\\", "\\n", "#", "[uwsgi]",
        "=", " = ", ":", ",", "/", "..", "../..", " ", "\t", "\r", "é", "日本", "🦊", "*", "|", "&", "(", ")", "^", "~", "`id`", "--", "0", "1", "on");

    private static readonly Gen<string> Text = Gen.OneOf(Bite, Gen.String[Gen.Char['a', 'z'], 1, 6]).Array[0, 6].Select(string.Concat);

    private static readonly Gen<string> Value = Gen.Frequency(
        (6, Text),
        (1, Text.Select(text => string.Concat(Enumerable.Repeat(text + "x", 500)))),
        (3, Gen.OneOf("a.test", "a.test, *.b.test", "true", "1", "5", "100", "/img,/thumbs", "/a:public,/b:.", "/index.html", "127.0.0.1", "[::1]", "3", "lts")));

    private static readonly Gen<string> Kind = Gen.Frequency(
        (9, Gen.OneOf("wsgi", "web", "worker", "static", "cron1", "release", "preflight")),
        (1, Text));

    private static readonly Gen<string> Schedule = Gen.Select(
        Gen.OneOf("*", "*/5", "1-5", "0,30", "@daily", "99", ""), Text, (minute, text) => minute == "@daily" ? $"{minute} {text}" : $"{minute} * * * * {text}");

    private static readonly Gen<string> ProcfileLine = Gen.Select(Kind, Text, Schedule, (kind, text, schedule) => kind switch
    {
        "wsgi" => "wsgi: app:app",
        "cron1" => $"cron1: {schedule}",
        _ => $"{kind}: {text}",
    });

    /// <summary>All keys but those whose truth only the machine knows: a folder that must exist, a queue that the kernel limits.</summary>
    private static readonly Gen<string> Key = Gen.Frequency(
        (2, Gen.OneOf("NGINX_SERVER_NAME")),
        (4, Gen.OneOf([.. Piku.Core.Settings.SettingTable.All.Select(setting => setting.Key).Except(["NGINX_CACHE_PATH", "UWSGI_LISTEN", "NGINX_IPV4_ADDRESS"])])),
        (4, Gen.OneOf(Gen.OneOf("A", "B", "PATH", "APP", "HOME", "NODE_PATH"), Text)));

    private static readonly Gen<(string Procfile, string Env)> App = Gen.Select(
        ProcfileLine.Array[1, 4].Select(lines => string.Join('\n', lines)),
        Gen.Select(Key, Value, (key, value) => $"{key}={value}").Array[0, 8].Select(lines => string.Join('\n', lines)));

    private readonly RealHost _host = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public Task Any_app_is_refused_with_a_sentence_or_accepted_as_it_is() =>
        App.SampleAsync(app => CheckAsync(app.Procfile, app.Env), iter: Tries, threads: 1);

    public void Dispose() => _host.Dispose();

    private async Task CheckAsync(string procfile, string env)
    {
        if (Plan(procfile, env) is not { } plan)
            return;
        if (plan.Site is not null && await _host.NginxRefusalAsync(plan.Site, Cancelled) is { } nginx)
            Assert.Fail(nginx);
        foreach (var vassal in plan.Vassals)
        {
            if (await _host.UwsgiRefusalAsync(vassal, Cancelled) is { } uwsgi)
                Assert.Fail(uwsgi);
            if (vassal.Kind == "wsgi")
                await SeesAsync(plan.LiveEnv.Without("NGINX_ACL"));
        }
    }

    private async Task SeesAsync(EnvMap expected)
    {
        var file = Path.Combine(_host.Paths.App(AppName.Parse("blog")), "seen");
        using var seen = JsonDocument.Parse(await File.ReadAllTextAsync(file, Cancelled));
        foreach (var (name, value) in expected)
            Assert.Equal($"{name}={value}", $"{name}={seen.RootElement.GetProperty(name).GetString()}");
    }

    private LivePlan? Plan(string procfile, string env)
    {
        try
        {
            var facts = TestApp.With("web: x") with { Procfile = Procfile.Parse(procfile), RepositoryEnv = EnvFile.Parse(env, "ENV") };
            facts = facts with { Paths = _host.Paths, Host = _host.Facts, CloudflareNetworks = ["2400:cb00::/32"] };
            _host.Install(facts.App, [new("app.py", TellTale)]);
            return LivePlan.Create(facts);
        }
        catch (UserError error)
        {
            Assert.DoesNotContain('\n', error.Message);
            return null;
        }
    }
}
