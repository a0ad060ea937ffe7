using Piku.Core.Model;
using Piku.Core.Settings;

namespace Piku.Tests.Plans;

public sealed class SettingTableTests
{
    /// <summary>With UPDATE_DOCS set, writes the page instead of comparing it.</summary>
    [Fact]
    public void The_page_of_settings_is_what_the_table_says()
    {
        var page = Path.Combine(SourceTree.Root, "docs", "settings.md");
        if (Environment.GetEnvironmentVariable("UPDATE_DOCS") is { Length: > 0 })
            File.WriteAllText(page, SettingTable.Document());
        Assert.Equal(SettingTable.Document(), File.ReadAllText(page));
    }

    [Theory]
    [InlineData("nginx", "nginx:", "NGINX_CACHE_PATH")]
    [InlineData("uwsgi_listen", "uWSGI:", "UWSGI_LISTEN")]
    [InlineData("host name", "nginx:", "NGINX_SERVER_NAME")]
    [InlineData("", "Python and Node:", "PORT")]
    public void Help_finds_settings_by_a_word(string word, string title, string key)
    {
        var help = SettingTable.Help(word).Split('\n');
        Assert.Contains(title, help);
        Assert.Contains(help, line => line.StartsWith($"  {key} (", StringComparison.Ordinal));
        Assert.Equal(word.Length == 0, help.Any(line => line.StartsWith("  PYTHON_VERSION (", StringComparison.Ordinal)));
    }

    [Fact]
    public void Every_key_of_the_contract_is_in_the_table()
    {
        string[] contract =
        [
            "PIKU_AUTO_RESTART", "PYTHON_VERSION", "NODE_VERSION", "NODE_PACKAGE_MANAGER", "BIND_ADDRESS", "PORT", "DISABLE_IPV6",
            "UWSGI_MAX_REQUESTS", "UWSGI_LISTEN", "UWSGI_PROCESSES", "UWSGI_THREADS", "UWSGI_ENABLE_THREADS", "UWSGI_LOG_MAXSIZE",
            "UWSGI_LOG_X_FORWARDED_FOR", "UWSGI_GEVENT", "UWSGI_ASYNCIO", "UWSGI_IDLE", "UWSGI_INCLUDE_FILE", "NGINX_SERVER_NAME",
            "NGINX_STATIC_PATHS", "NGINX_CLOUDFLARE_ACL", "NGINX_CLIENT_MAX_BODY_SIZE", "NGINX_STICKY", "NGINX_HTTPS_ONLY", "NGINX_INCLUDE_FILE", "NGINX_ALLOW_GIT_FOLDERS",
            "NGINX_CATCH_ALL", "NGINX_CACHE_PREFIXES", "NGINX_CACHE_SIZE", "NGINX_CACHE_TIME", "NGINX_CACHE_REDIRECTS",
            "NGINX_CACHE_ANY", "NGINX_CACHE_CONTROL", "NGINX_CACHE_EXPIRY", "NGINX_CACHE_PATH", "NGINX_IPV4_ADDRESS",
            "NGINX_IPV6_ADDRESS", "ACME_ROOT_CA", "PIKU_DEPLOY_BRANCH", "PIKU_ZERO_DOWNTIME", "PIKU_HEALTH_PATH", "PIKU_HEALTH_TIMEOUT",
            "PIKU_APP_DIR", "PIKU_BUILD_TIMEOUT", "PIKU_DRAIN_TIMEOUT", "PIKU_STOP_TIMEOUT", "PIKU_RELEASES_KEEP", "PIKU_MEMORY_LIMIT", "PIKU_CPU_LIMIT",
        ];
        Assert.Equal(contract.Order(StringComparer.Ordinal), SettingTable.All.Select(setting => setting.Key).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_default_is_a_value_of_its_setting() =>
        Assert.All(SettingTable.All, setting => Assert.Null(
            setting.Default is null ? null : setting.Complaint(EnvMap.Empty.With(setting.Key, setting.Default))));

    [Theory]
    [InlineData("NGINX_SERVERNAME", "NGINX_SERVERNAME is not a setting: did you mean NGINX_SERVER_NAME?")]
    [InlineData("UWSGI_PROCESS", "UWSGI_PROCESS is not a setting: did you mean UWSGI_PROCESSES?")]
    [InlineData("PIKU_FOO", "PIKU_FOO is not a setting; `help settings` lists all.")]
    public void A_key_that_looks_like_ours_gets_a_hint(string key, string hint) =>
        Assert.Equal([hint], SettingTable.Warnings(EnvMap.Empty.With(key, "1")));

    [Theory]
    [InlineData("FOO")]
    [InlineData("NGINX_SERVER_NAME")]
    public void Other_keys_are_the_apps_own(string key) => Assert.Empty(SettingTable.Warnings(EnvMap.Empty.With(key, "x")));

    [Theory]
    [InlineData("NGINX_SERVER_NAME", "a.com; root /")]
    [InlineData("NGINX_SERVER_NAME", "a{b")]
    [InlineData("NGINX_SERVER_NAME", "$host")]
    [InlineData("NGINX_SERVER_NAME", "a..b")]
    [InlineData("NGINX_CACHE_PREFIXES", "/a)|(b")]
    [InlineData("NGINX_CACHE_SIZE", "x")]
    [InlineData("NGINX_CACHE_PATH", "relative")]
    [InlineData("NGINX_CATCH_ALL", "/$uri")]
    [InlineData("NGINX_CATCH_ALL", "/../x")]
    [InlineData("NGINX_CATCH_ALL", "..")]
    [InlineData("NGINX_CATCH_ALL", "/a/..")]
    [InlineData("NGINX_CATCH_ALL", "a/../b")]
    [InlineData("NGINX_IPV4_ADDRESS", "[::]")]
    [InlineData("NGINX_IPV6_ADDRESS", "0.0.0.0")]
    [InlineData("NGINX_INCLUDE_FILE", "../other/nginx.conf")]
    [InlineData("UWSGI_INCLUDE_FILE", "/etc/passwd")]
    [InlineData("BIND_ADDRESS", "127.0.0.1; x")]
    [InlineData("PORT", "0")]
    [InlineData("PORT", "65536")]
    [InlineData("PYTHON_VERSION", "3.12; rm")]
    [InlineData("NODE_PACKAGE_MANAGER", "--flag")]
    [InlineData("NODE_PACKAGE_MANAGER", "yarn; id")]
    [InlineData("UWSGI_LISTEN", "abc")]
    [InlineData("NGINX_HTTPS_ONLY", "ture")]
    [InlineData("PIKU_ZERO_DOWNTIME", "2")]
    [InlineData("NGINX_SERVER_NAME", "~(")]
    [InlineData("NGINX_SERVER_NAME", "~")]
    [InlineData("NGINX_SERVER_NAME", "~^(?<piku_scheme>a)$")]
    [InlineData("NGINX_SERVER_NAME", "..example.com")]
    [InlineData("NGINX_CLIENT_MAX_BODY_SIZE", "20 MB")]
    [InlineData("NGINX_CLIENT_MAX_BODY_SIZE", "1m; root /")]
    [InlineData("NGINX_STICKY", "true")]
    [InlineData("NGINX_STATIC_PATHS", "/m:files,/d:$X/y")]
    [InlineData("NGINX_STATIC_PATHS", "m:files")]
    [InlineData("NGINX_STATIC_PATHS", "/m: ")]
    public void What_is_no_value_of_a_setting_is_refused(string key, string text) =>
        Assert.StartsWith($"{key} is '{text}', and must be ", SettingTable.Find(key)!.Complaint(EnvMap.Empty.With(key, text)), StringComparison.Ordinal);

    [Theory]
    [InlineData("NGINX_SERVER_NAME", "a.com bücher.example", "Write xn--bcher-kva.example for bücher.example.")]
    [InlineData("NGINX_STATIC_PATHS", "/m:files,/d:$X/y", "'/d:$X/y' names a variable that is not set.")]
    [InlineData("NGINX_STATIC_PATHS", "/m:files,d:y", "'d:y' is none.")]
    public void What_is_refused_comes_with_what_to_write(string key, string text, string advice) =>
        Assert.EndsWith($". {advice}", SettingTable.Find(key)!.Complaint(EnvMap.Empty.With(key, text)), StringComparison.Ordinal);

    [Fact]
    public void Blanks_around_the_colon_of_a_mapping_are_no_part_of_it() =>
        Assert.Equal([new("/m", "my files"), new("/n", "x")], NginxSettings.StaticPaths.In(EnvMap.Empty.With("NGINX_STATIC_PATHS", "/m : my files ,/n:\tx")));

    [Theory]
    [InlineData("~^a[0-9]+\\.example\\.com$", "~^a[0-9]+\\.example\\.com$")]
    [InlineData("a.com, www.a.com", "a.com www.a.com")]
    [InlineData("a.com  *.b.com,.c.com", "a.com *.b.com .c.com")]
    [InlineData("_", "_")]
    [InlineData("xn--bcher-kva.example", "xn--bcher-kva.example")]
    public void Host_names_are_separated_by_commas_and_blanks(string text, string names) =>
        Assert.Equal(names.Split(' '), NginxSettings.ServerName.In(EnvMap.Empty.With("NGINX_SERVER_NAME", text)));
}
