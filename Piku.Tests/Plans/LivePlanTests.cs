using System.Collections.Frozen;
using Piku.Core.Formats;
using Piku.Core.Model;
using Piku.Core.Runtimes;
using Piku.Core.Workers;

namespace Piku.Tests.Plans;

/// <summary>What the recordings cannot show, because it is ours.</summary>
public sealed class LivePlanTests
{
    [Fact]
    public void Each_web_process_has_a_port_and_nginx_knows_them_all()
    {
        var plan = LivePlan.Create(TestApp.With("web: ./srv", "NGINX_SERVER_NAME=a.test") with { Scaling = Scaling.Parse("web:3") });

        Assert.Equal(["blog_web.1.ini", "blog_web.2.ini", "blog_web.3.ini"], plan.Vassals.Select(vassal => vassal.FileName));
        Assert.Equal(["PORT=50000", "PORT=50001", "PORT=50002"], plan.Vassals.Select(vassal => Variable(vassal, "PORT")));
        Assert.Equal("50000", plan.LiveEnv["PORT"]);
        Assert.Equal(
            [new Probe.Tcp("127.0.0.1", 50000), new Probe.Tcp("127.0.0.1", 50001), new Probe.Tcp("127.0.0.1", 50002)],
            plan.Vassals.Select(vassal => vassal.Probe));
        var site = NginxDirective.Write(plan.Site!.ToDirectives());
        Assert.All([50000, 50001, 50002], port => Assert.Contains($"server 127.0.0.1:{port};", site, StringComparison.Ordinal));
        Assert.Contains("proxy_pass http://blog;", site, StringComparison.Ordinal);
    }

    [Fact]
    public void A_port_that_is_set_is_the_first_process_s() =>
        Assert.Equal(
            ["PORT=50001", "PORT=50000"],
            LivePlan.Create(TestApp.With("web: ./srv", "PORT=50001") with { Scaling = Scaling.Parse("web:2") }).Vassals.Select(vassal => Variable(vassal, "PORT")));

    [Theory]
    [InlineData(1, "2")]
    [InlineData(3, "6")]
    public void A_wsgi_app_keeps_its_one_socket_at_every_count(int count, string processes)
    {
        var plan = LivePlan.Create(TestApp.With("wsgi: app:app", "NGINX_SERVER_NAME=a.test") with { Scaling = Scaling.Default.With("wsgi", count) });

        var vassal = Assert.Single(plan.Vassals);
        Assert.Equal("blog_wsgi.1.ini", vassal.FileName);
        Assert.Equal([processes], Values(vassal, "processes"));
        Assert.Equal(["/home/piku/.piku/nginx/blog.sock"], Values(vassal, "socket"));
        Assert.Equal(count, plan.Scaling.Count("wsgi"));
        Assert.Equal(new Probe.UnixSocket("/home/piku/.piku/nginx/blog.sock"), vassal.Probe);
    }

    [Fact]
    public void Nothing_runs_at_count_zero() =>
        Assert.Empty(LivePlan.Create(TestApp.With("wsgi: app:app\nworker: w") with { Scaling = Scaling.Parse("wsgi:0\nworker:0") }).Vassals);

    [Theory]
    [InlineData("APP=evil")]
    [InlineData("HOME=/")]
    [InlineData("VIRTUAL_ENV=/x")]
    public void What_only_piku_sets_stays_and_the_app_is_told(string env)
    {
        var plan = LivePlan.Create(TestApp.With("worker: w", env));
        Assert.Equal(LivePlan.Create(TestApp.With("worker: w")).LiveEnv, plan.LiveEnv);
        Assert.StartsWith(env.Split('=')[0], Assert.Single(plan.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Config_has_the_last_word_and_can_refer_to_the_file()
    {
        var facts = TestApp.With("worker: w", "A=file\nB=$A") with { ConfigEnv = [new("A", "config"), new("C", "${B}-${A}")] };
        var live = LivePlan.Create(facts).LiveEnv;
        Assert.Equal(("config", "file", "file-config"), (live["A"], live["B"], live["C"]));
    }

    [Theory]
    [InlineData("jvm_openjdk17", "jwsgi_openjdk17", "jwsgi: com.x.App", "plugin = 0:jvm_openjdk17", "plugin = jwsgi_openjdk17")]
    [InlineData("rack_ruby31", "", "rwsgi: config.ru", "plugin = rack_ruby31", "rack = config.ru")]
    [InlineData("python3", "python311", "wsgi: app:app", "plugin = python311", "need-app = true")]
    public void Plugins_have_the_names_that_the_machine_knows(string one, string other, string procfile, params string[] expected)
    {
        var facts = TestApp.With(procfile, "PYTHON_VERSION=3.11");
        facts = facts with { Host = facts.Host with { UwsgiPlugins = [one, other] } };
        var lines = Assert.Single(LivePlan.Create(facts).Vassals).Settings.Select(setting => $"{setting.Option} = {setting.Value}").ToHashSet();
        Assert.Superset(expected.ToHashSet(), lines);
    }

    [Fact]
    public void Variables_in_an_include_file_stay_inside_their_argument()
    {
        var facts = TestApp.With("web: w", "NGINX_SERVER_NAME=a.test\nNGINX_INCLUDE_FILE=inc.conf\nTEXT=x; } server { listen 81")
            with
        { Texts = new Dictionary<string, string> { ["inc.conf"] = "add_header X-Text \"$TEXT $host\";" }.ToFrozenDictionary() };
        var site = NginxDirective.Write(LivePlan.Create(facts).Site!.ToDirectives());
        Assert.Contains("add_header X-Text \"x; } server { listen 81 $host\";", site, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("web: x\nphp: public", "", "both 'web' and 'php'")]
    [InlineData("wsgi: a:a\njwsgi: b", "", "both 'wsgi' and 'jwsgi'")]
    [InlineData("web: x", "NGINX_SERVER_NAME=taken.test", "'taken.test' belongs to the app 'shop'")]
    [InlineData("web: x", "NGINX_SERVER_NAME=a.test\nNGINX_INCLUDE_FILE=nope.conf", "names 'nope.conf'")]
    [InlineData("web: x", "UWSGI_INCLUDE_FILE=nope.ini", "names 'nope.ini'")]
    [InlineData("web: x", "NGINX_SERVER_NAME=a.test\nNGINX_CLOUDFLARE_ACL=1", "Cloudflare's networks")]
    [InlineData("web: x", "NGINX_SERVER_NAME=a.test\nNGINX_STATIC_PATHS=/:public", "maps '/'")]
    [InlineData("static: x", "NGINX_SERVER_NAME=a.test\nNGINX_STATIC_PATHS=/:public", "Two static folders")]
    [InlineData("static: ..", "NGINX_SERVER_NAME=a.test", "make public")]
    [InlineData("static: .git", "NGINX_SERVER_NAME=a.test", "make public")]
    [InlineData("static: x", "NGINX_SERVER_NAME=a.test\nNGINX_STATIC_PATHS=/e:ENV", "make public")]
    [InlineData("static: x", "NGINX_SERVER_NAME=a.test\nNGINX_STATIC_PATHS=/e:ENV/", "make public")]
    [InlineData("static: x", "NGINX_SERVER_NAME=a.test\nNGINX_STATIC_PATHS=/e:/home/piku/.piku/envs/blog/LIVE_ENV", "make public")]
    [InlineData("static: x", "NGINX_SERVER_NAME=a.test\nNGINX_STATIC_PATHS=/e:/home/piku/.piku", "make public")]
    [InlineData("static: x", "NGINX_SERVER_NAME=a.test\nNGINX_STATIC_PATHS=/e:/home/piku", "make public")]
    [InlineData("static: x", "NGINX_SERVER_NAME=a.test\nNGINX_STATIC_PATHS=/e:/home/piku/.piku/envs/blog", "make public")]
    [InlineData("static: x", "NGINX_SERVER_NAME=a.test\nNGINX_STATIC_PATHS=/e:/home/piku/.piku/apps/shop", "make public")]
    [InlineData("static: x", "NGINX_SERVER_NAME=a.test\nNGINX_STATIC_PATHS=/e:/home/piku/.piku/data/", "make public")]
    [InlineData("web: x", "NGINX_SERVER_NAME=a.test\nNGINX_CACHE_PREFIXES=/a\nNGINX_CACHE_PATH=/home/piku/.piku/apps", "a folder of its own")]
    [InlineData("php: ../..", "", "is not in the app")]
    public void What_cannot_be_is_refused_with_a_sentence(string procfile, string env, string sentence)
    {
        var facts = TestApp.With(procfile, env) with
        {
            TakenServerNames = new Dictionary<string, string> { ["taken.test"] = "the app 'shop'" }.ToFrozenDictionary(),
        };
        Assert.Contains(sentence, Assert.Throws<UserError>(() => LivePlan.Create(facts)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/home/piku/.piku/data/blog/media")]
    [InlineData("/home/piku/.piku/envs/blog/node_modules/x/dist")]
    [InlineData("/srv/media")]
    [InlineData("docs/.vitepress/dist")]
    public void A_static_folder_may_be_elsewhere(string path) =>
        Assert.Single(LivePlan.Create(TestApp.With("web: x", $"NGINX_SERVER_NAME=a.test\nNGINX_STATIC_PATHS=/e:{path}")).Site!.StaticFolders);

    [Theory]
    [InlineData("static: x", "", "Only nginx serves a static app: set NGINX_SERVER_NAME to its host name.")]
    [InlineData("wsgi: a:a", "UWSGI_GEVENT=5", "UWSGI_GEVENT is for Python 2; with Python 3 use UWSGI_ASYNCIO or UWSGI_THREADS.")]
    [InlineData("wsgi: a:a", "PYTHON_VERSION=3.12", "uWSGI has no plugin for Python 3.12 here, only python311: packages with compiled parts may not load; a 'web' worker runs any version.")]
    [InlineData("worker: x", "NGINX_SERVER_NAME=a.test", "NGINX_SERVER_NAME has no effect: no kind of the Procfile answers requests, which web, wsgi, jwsgi, rwsgi, php and static do.")]
    [InlineData("worker: x", "UWSGI_IDLE=soon", "UWSGI_IDLE is 'soon', and must be a number from 1 to 2147483647. It is passed over.")]
    public void What_an_app_does_not_get_it_is_told(string procfile, string env, string warning) =>
        Assert.Equal([warning], LivePlan.Create(TestApp.With(procfile, env)).Warnings);

    [Fact]
    public void A_setting_that_no_shell_can_carry_reaches_no_process_and_the_app_is_told()
    {
        var plan = LivePlan.Create(TestApp.With("worker: w") with { ConfigEnv = [new("a.b", "kept by upstream"), new("GOOD", "1")] });
        Assert.Equal(LivePlan.Create(TestApp.With("worker: w", "GOOD=1")).LiveEnv, plan.LiveEnv);
        Assert.Equal(["no process gets the setting 'a.b', because shells drop such a name; 'config:unset blog a.b' removes it."], plan.Warnings);
    }

    [Fact]
    public void A_kind_in_SCALING_that_the_procfile_has_not_is_told() =>
        Assert.Equal(["SCALING names 'gone', which is no worker of the Procfile."], LivePlan.Create(TestApp.With("worker: w") with { RepositoryScaling = Scaling.Parse("gone:0\nworker:2") }).Warnings);

    [Theory]
    [InlineData("mule = $NAME", "=mule=100$1 $3(x);\n")]
    [InlineData("one = a\ntwo = $one-${PLAIN}", "\ntwo = a-plain\n")]
    [InlineData("three = %n-$PLAIN", "\nthree = %n-plain\n")]
    public void A_reference_in_a_uwsgi_include_file_is_a_variable_of_the_app_or_an_option_before(string include, string line)
    {
        var facts = WithInclude(include) with { ConfigEnv = [new("NAME", "100% $(x)"), new("PLAIN", "plain")] };
        Assert.Contains(line, Assert.Single(LivePlan.Create(facts).Vassals).Ini, StringComparison.Ordinal);
    }

    [Fact]
    public void A_value_that_uwsgi_would_read_as_its_own_syntax_is_not_mixed_with_it() =>
        Assert.Contains("inc.ini: the option 'mule' has syntax of uWSGI's", Assert.Throws<UserError>(
            () => LivePlan.Create(WithInclude("mule = %n-$NAME") with { ConfigEnv = [new("NAME", "100%")] })).Message, StringComparison.Ordinal);

    private static DeployFacts WithInclude(string text) => TestApp.With("worker: w", "UWSGI_INCLUDE_FILE=inc.ini") with
    {
        Texts = new Dictionary<string, string> { ["inc.ini"] = text }.ToFrozenDictionary(),
    };

    [Fact]
    public void A_command_of_cron_runs_once_in_its_minute_whatever_is_in_it()
    {
        var vassal = Assert.Single(LivePlan.Create(TestApp.With("cron: 0 0 */16 * 1 echo it's 5% \"$HOME\"")).Vassals);
        var words = ShellWords.Split(Assert.Single(Values(vassal, "cron")));
        Assert.Equal(
            ["0", "0", "-1", "-1", "1", "exec", "/bin/sh", "/home/piku/.piku/uwsgi/cron.sh", "/home/piku/.piku/logs/blog/.cron", "1,17", "echo it's 5% \"$HOME\""], words);
    }

    [Theory]
    [InlineData("web: x", "NGINX_SERVER_NAME=Taken.test", "'Taken.test' belongs to the app 'shop' already")]
    [InlineData("web: x", "PORT=81", "Port 81 is in use by the app 'shop'")]
    public void What_another_app_has_is_told_before_anything_is_built(string procfile, string env, string sentence)
    {
        var facts = TestApp.With(procfile, env) with
        {
            TakenServerNames = new Dictionary<string, string> { ["taken.test"] = "the app 'shop'" }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase),
            PortUser = env.StartsWith("PORT", StringComparison.Ordinal) ? "the app 'shop'" : null,
        };
        Assert.Contains(sentence, Assert.Throws<UserError>(() => LivePlan.RefuseTaken(facts)).Message, StringComparison.Ordinal);
        LivePlan.RefuseTaken(TestApp.With(procfile, env));
    }

    [Fact]
    public void Without_a_host_name_the_app_is_told_where_it_answers() =>
        Assert.Equal(["http://127.0.0.1:50000"], LivePlan.Create(TestApp.With("web: x")).Urls);

    [Fact]
    public void A_dotnet_app_listens_at_its_port() =>
        Assert.Equal(
            "ASPNETCORE_URLS=http://127.0.0.1:50000",
            Variable(Assert.Single(LivePlan.Create(TestApp.With("web: dotnet x.dll", "", "x.csproj")).Vassals), "ASPNETCORE_URLS"));

    private static string Variable(Vassal vassal, string name) =>
        Assert.Single(Values(vassal, "env"), value => value.StartsWith(name + "=", StringComparison.Ordinal));

    private static IEnumerable<string> Values(Vassal vassal, string option) =>
        vassal.Settings.Where(setting => setting.Option == option).Select(setting => setting.Value);
}
