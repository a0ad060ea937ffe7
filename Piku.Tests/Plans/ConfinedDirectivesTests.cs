using Piku.Core.Formats;
using Piku.Core.Model;
using Piku.Core.Nginx;

namespace Piku.Tests.Plans;

/// <summary>What an app with a user of its own may tell nginx, which can go where the app cannot.</summary>
public sealed class ConfinedDirectivesTests
{
    [Theory]
    [InlineData("client_max_body_size 100m;")]
    [InlineData("add_header X-Frame-Options DENY always;")]
    [InlineData("gzip on;\ngzip_types text/css;")]
    [InlineData("location /old { return 301 /new; }")]
    [InlineData("location /slow { proxy_read_timeout 300s; location /slow/er { proxy_buffering off; } }")]
    [InlineData("proxy_set_header X-Real-IP $remote_addr;")]
    [InlineData("allow 10.0.0.0/8;\ndeny all;")]
    [InlineData("")]
    public void What_names_no_place_is_taken(string text) => ConfinedDirectives.Require(NginxDirective.Parse(text));

    [Theory]
    [InlineData("alias", "location /x { alias /home/piku/; }")]
    [InlineData("root", "root /;")]
    [InlineData("root", "location / { location /x { root /; } }")]
    [InlineData("try_files", "try_files /../x =404;")]
    [InlineData("error_page", "error_page 404 /x;")]
    [InlineData("proxy_pass", "location /x { proxy_pass http://unix:/run/emperor.sock; }")]
    [InlineData("uwsgi_pass", "location /x { uwsgi_pass unix:/run/emperor.sock; }")]
    [InlineData("fastcgi_pass", "location /x { fastcgi_pass unix:/x; }")]
    [InlineData("proxy_store", "location /x { proxy_store /x; }")]
    [InlineData("proxy_cache_path", "proxy_cache_path /x;")]
    [InlineData("proxy_temp_path", "proxy_temp_path /x;")]
    [InlineData("client_body_temp_path", "client_body_temp_path /x;")]
    [InlineData("access_log", "access_log /x;")]
    [InlineData("error_log", "error_log /x;")]
    [InlineData("include", "include /x;")]
    [InlineData("disable_symlinks", "disable_symlinks off;")]
    [InlineData("auth_basic_user_file", "auth_basic_user_file /x;")]
    [InlineData("ssl_certificate_key", "ssl_certificate_key /x;")]
    [InlineData("rewrite", "rewrite ^ /x;")]
    [InlineData("if", "if ($x) { return 200; }")]
    [InlineData("server_name", "server_name theirs.example;")]
    [InlineData("listen", "listen 80;")]
    [InlineData("dav_methods", "location /x { dav_methods PUT; }")]
    [InlineData("autoindex", "autoindex on;")]
    [InlineData("Root", "Root /;")]
    public void What_names_one_is_refused_wherever_it_stands(string name, string text)
    {
        var refused = Assert.Throws<UserError>(() => ConfinedDirectives.Require(NginxDirective.Parse("gzip on;\n" + text)));
        Assert.StartsWith($"'{name}' is not for apps with a user of their own", refused.Message, StringComparison.Ordinal);
    }
}
