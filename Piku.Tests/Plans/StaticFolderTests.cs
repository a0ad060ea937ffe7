using System.Net;
using System.Net.Sockets;
using System.Text;
using Piku.Core.Formats;
using Piku.Core.Machine;
using Piku.Core.Workers;
using Piku.Tests.Services;

namespace Piku.Tests.Plans;

/// <summary>What the real nginx serves of an app's static folders, and what it never does (D19).</summary>
[NeedsMachine]
public sealed class StaticFolderTests
{
    private static readonly Dictionary<string, string> Files = new()
    {
        ["ENV"] = "secret",
        ["Procfile"] = "secret",
        [".env"] = "secret",
        [".git/config"] = "secret",
        ["index.html"] = "root",
        ["public/index.html"] = "home",
        ["public/about.html"] = "about",
        ["public/style.css"] = "css",
        ["public/ENV"] = "secret",
        ["public/.hidden"] = "secret",
        ["public/docs/index.html"] = "docs",
        ["public/docs/Procfile"] = "secret",
        ["public/.well-known/security.txt"] = "contact",
        ["publicity"] = "secret",
    };

    private static readonly (string Procfile, string Env, string Path, string Answer)[] Requests =
    [
        ("static: public", "", "/", "200 home"),
        ("static: public", "", "/index.html", "200 home"),
        ("static: public", "", "/about", "200 about"),
        ("static: public", "", "/docs/", "200 docs"),
        ("static: public", "", "/.well-known/security.txt", "200 contact"),
        ("static: public", "", "/nothing", "404"),
        ("static: public", "", "/ENV", "403"),
        ("static: public", "", "/%45NV", "403"),
        ("static: public", "", "//ENV", "403"),
        ("static: public", "", "/.hidden", "403"),
        ("static: public", "", "/docs/Procfile", "403"),
        ("static: public", "", "/../ENV", "400"),
        ("static: public", "", "/..%2fENV", "400"),
        ("static: public", "NGINX_CATCH_ALL=/index.html", "/any/where", "200 home"),
        ("static: public", "NGINX_CATCH_ALL=/index.html", "/ENV", "403"),
        ("static: .", "", "/", "200 root"),
        ("static: .", "", "/ENV", "403"),
        ("static: .", "", "/Procfile", "403"),
        ("static: .", "", "/.env", "403"),
        ("static: .", "", "/.git/config", "403"),
        ("static: /", "NGINX_ALLOW_GIT_FOLDERS=1", "/.git/config", "403"),
        ("web: x", "NGINX_STATIC_PATHS=/assets:public", "/assets/style.css", "200 css"),
        ("web: x", "NGINX_STATIC_PATHS=/assets:public", "/assets", "301"),
        ("web: x", "NGINX_STATIC_PATHS=/assets/:public/", "/assets/docs/", "200 docs"),
        ("web: x", "NGINX_STATIC_PATHS=/assets:public", "/assets../ENV", "502"),
        ("web: x", "NGINX_STATIC_PATHS=/assets:public", "/assetsity", "502"),
        ("web: x", "NGINX_STATIC_PATHS=/assets:public", "/assets/../ENV", "502"),
        ("web: x", "NGINX_STATIC_PATHS=/assets:public", "/assets/%2e%2e/ENV", "502"),
        ("web: x", "NGINX_STATIC_PATHS=/assets:public", "/assets/.hidden", "403"),
        ("web: x", "NGINX_STATIC_PATHS=/favicon.css:public/style.css", "/favicon.css", "200 css"),
        ("web: x", "", "/.git/config", "403"),
        ("web: x", "NGINX_ALLOW_GIT_FOLDERS=1", "/.git/config", "502"),
    ];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Files_are_served_and_secrets_are_not()
    {
        await using var installation = await Installation.WithNginxAsync();
        if (UnixUser.Current.IsRoot)
            File.SetUnixFileMode(installation.Paths.Root, (UnixFileMode)0b111_101_101);
        var wrong = new List<string>();
        foreach (var site in Requests.GroupBy(request => (request.Procfile, request.Env)))
        {
            await ServeAsync(installation, site.Key.Procfile, site.Key.Env);
            foreach (var (_, _, path, expected) in site)
            {
                if (await GetAsync(installation.Options.HttpPort, path) is var answer && answer != expected)
                    wrong.Add($"{site.Key} {path}: {answer}, and not {expected}");
            }
        }
        Assert.Empty(wrong);
    }

    private static async Task ServeAsync(Installation installation, string procfile, string env)
    {
        var facts = TestApp.With(procfile, $"NGINX_SERVER_NAME=blog.test\nPORT=1\n{env}");
        facts = facts with
        {
            Paths = installation.Paths,
            Host = facts.Host with { HttpPort = installation.Options.HttpPort, HttpsPort = installation.Options.HttpsPort },
        };
        foreach (var (name, text) in Files)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(facts.AppFolder, name))!);
            File.WriteAllText(Path.Combine(facts.AppFolder, name), text);
        }
        var site = LivePlan.Create(facts).Site!;
        var certificate = SelfSignedCertificate.Create(["blog.test"], TimeProvider.System);
        AtomicFile.Write(site.Certificate, certificate.Certificate, AtomicFile.Readable);
        AtomicFile.Write(site.CertificateKey, certificate.Key, AtomicFile.Secret);
        await installation.Nginx.ApplySiteAsync(facts.App, NginxDirective.Write(site.ToDirectives()), Cancelled);
    }

    /// <summary>The status, and the body of a good answer. The path goes out exactly as it is.</summary>
    private static async Task<string> GetAsync(int port, string path)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port, Cancelled);
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.0\r\nHost: blog.test\r\n\r\n"), Cancelled);
        using var reader = new StreamReader(stream);
        var answer = await reader.ReadToEndAsync(Cancelled);
        var status = answer.Split(' ')[1];
        return status == "200" ? $"200 {answer.Split("\r\n\r\n", 2)[1]}" : status;
    }
}
