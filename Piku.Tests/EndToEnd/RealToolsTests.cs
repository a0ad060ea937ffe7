using System.IO.Compression;
using Piku.Core.Machine;

namespace Piku.Tests.EndToEnd;

/// <summary>
/// Apps built by the real tools of their language, with dependencies from their own repositories, and asked through nginx.
/// Ruby, Go and PHP are in <see cref="RuntimeTests"/>.
/// </summary>
[NeedsMachine]
public sealed class RealToolsTests(RunningPiku shared) : IClassFixture<RunningPiku>
{
    private const string Pom =
        """
        <project xmlns="http://maven.apache.org/POM/4.0.0">
          <modelVersion>4.0.0</modelVersion>
          <groupId>org.example</groupId><artifactId>app</artifactId><version>1</version>
          <properties>
            <maven.compiler.source>11</maven.compiler.source><maven.compiler.target>11</maven.compiler.target>
            <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
          </properties>
          <build><plugins>PLUGINS</plugins></build>
        </project>
        """;

    /// <summary>Debian's Maven packages are a repository on disk, without checksums.</summary>
    private const string MavenSettings =
        "<settings><mirrors><mirror><id>debian</id><mirrorOf>*</mirrorOf><url>file:///usr/share/maven-repo</url></mirror></mirrors></settings>";

    /// <summary>To plugins that name none Maven gives one of 2006, which Debian has not.</summary>
    private const string PlexusUtils =
        "<dependencies><dependency><groupId>org.codehaus.plexus</groupId><artifactId>plexus-utils</artifactId><version>debian</version></dependency></dependencies>";

    private const string JavaServer =
        """
        package org.example;
        import com.sun.net.httpserver.HttpServer;
        import java.net.InetSocketAddress;
        import java.util.HashMap;
        public class App {
          public static void main(String[] none) throws Exception {
            HttpServer server = HttpServer.create(new InetSocketAddress(System.getenv("BIND_ADDRESS"), Integer.parseInt(System.getenv("PORT"))), 0);
            server.createContext("/", exchange -> {
              byte[] body = (System.getenv("GREETING") + " from Java").getBytes();
              exchange.sendResponseHeaders(200, body.length);
              exchange.getResponseBody().write(body);
              exchange.close();
            });
            server.start();
          }
          public static Object[] application(HashMap request) {
            return new Object[] { 200, new HashMap<String, String>(), System.getenv("GREETING") + " from Java in uWSGI" };
          }
        }
        """;

    private const string Rust =
        """
        use std::io::{BufRead, BufReader, Write};
        use std::{env::var, net::TcpListener};
        fn main() {
            let address = format!("{}:{}", var("BIND_ADDRESS").unwrap(), var("PORT").unwrap());
            for stream in TcpListener::bind(address).unwrap().incoming() {
                let mut stream = stream.unwrap();
                let (mut line, mut reader) = (String::new(), BufReader::new(stream.try_clone().unwrap()));
                while reader.read_line(&mut line).unwrap_or(0) > 2 { line.clear(); }
                let _ = write!(stream, "HTTP/1.0 200 OK\r\n\r\n{}{}", var("GREETING").unwrap(), greeting::TAIL);
            }
        }
        """;

    private const string Clojure =
        """
        (ns app.core (:gen-class)
          (:import (com.sun.net.httpserver HttpServer HttpHandler) (java.net InetSocketAddress)))
        (defn -main []
          (let [server (HttpServer/create (InetSocketAddress. (System/getenv "BIND_ADDRESS") (Integer/parseInt (System/getenv "PORT"))) 0)]
            (.createContext server "/" (reify HttpHandler (handle [_ exchange]
              (let [body (.getBytes (str (System/getenv "GREETING") " from Clojure"))]
                (.sendResponseHeaders exchange 200 (count body))
                (.write (.getResponseBody exchange) body)
                (.close exchange)))))
            (.start server)))
        """;

    private const string Node = "require('http').createServer((q, r) => r.end(process.env.GREETING + require('greet'))).listen(process.env.PORT, process.env.BIND_ADDRESS)";

    /// <summary>Those that do something else at a second deploy (D23).</summary>
    private static readonly string[] CleaningTools = ["mvn", "lein"];

    private PikuInstance Piku => shared.Piku;

    [Theory]
    [InlineData("maven-web", "web: java -cp target/app-1.jar org.example.App\n", "hello from Java")]
    [InlineData("maven-jwsgi", "jwsgi: org.example.App\n", "hello from Java in uWSGI")]
    public Task Java_by_Maven(string app, string procfile, string answer)
    {
        var plugins = ((string, string)[])[("clean", "3.2.0"), ("resources", "3.3.0"), ("compiler", "3.10.1"), ("surefire", "2.22.3"), ("jar", "3.3.0")];
        foreach (var (name, version) in plugins)
            Assert.SkipUnless(Directory.Exists($"/usr/share/maven-repo/org/apache/maven/plugins/maven-{name}-plugin/{version}"), $"Maven's {name} plugin {version} is not installed");
        Assert.SkipUnless(app != "maven-jwsgi" || File.Exists("/usr/lib/uwsgi/plugins/jwsgi_plugin.so"), "uWSGI has no plugin for jwsgi here");
        return AnswersAsync(app, app == "maven-web" ? "mvn" : "java", "Java (Maven) app detected", answer,
            ("Procfile", procfile), (".mvn/maven.config", "-B\n-ntp\n-q\n-c\n-Dmaven.repo.local=.m2\n-s\n.mvn/settings.xml\n"), (".mvn/settings.xml", MavenSettings),
            ("pom.xml", Pom.Replace("PLUGINS", string.Concat(plugins.Select(one => $"<plugin><artifactId>maven-{one.Item1}-plugin</artifactId><version>{one.Item2}</version>{PlexusUtils}</plugin>")), StringComparison.Ordinal)),
            ("src/main/java/org/example/App.java", JavaServer));
    }

    [Fact]
    public Task Rust_with_a_crate_of_its_own_repository() => AnswersAsync("crate", "cargo", "Rust app detected", "hello from Rust",
        ("Procfile", "web: ./target/debug/app\n"), ("rust-toolchain.toml", "[toolchain]\nchannel = \"stable\"\n"),
        ("Cargo.toml", "[package]\nname = \"app\"\nversion = \"1.0.0\"\nedition = \"2021\"\n[dependencies]\ngreeting = { path = \"greeting\" }\n"),
        ("greeting/Cargo.toml", "[package]\nname = \"greeting\"\nversion = \"1.0.0\"\nedition = \"2021\"\n"),
        ("greeting/src/lib.rs", "pub const TAIL: &str = \" from Rust\";\n"), ("src/main.rs", Rust));

    [Fact]
    public Task Clojure_by_Leiningen()
    {
        var version = Directory.Exists("/usr/share/maven-repo/org/clojure/clojure")
            ? Directory.GetDirectories("/usr/share/maven-repo/org/clojure/clojure", "*.*.*").Select(Path.GetFileName).FirstOrDefault(name => !name!.Contains('x', StringComparison.Ordinal)) : null;
        Assert.SkipUnless(version is not null, "Debian's Clojure is not installed");
        return AnswersAsync("uberjar", "lein", "Clojure (Leiningen) app detected", "hello from Clojure",
            ("Procfile", "web: java -jar target/app-1.0-standalone.jar\n"), ("src/app/core.clj", Clojure),
            ("project.clj", $"(defproject app \"1.0\" :dependencies [[org.clojure/clojure \"{version}\"]] :offline? true :local-repo \"/usr/share/maven-repo\" :main app.core :aot [app.core])\n"));
    }

    [Fact]
    public Task Dotnet_with_a_project_beside_its_solution() => AnswersAsync("aspnet", "dotnet", ".NET app detected", "hello from .NET",
        ("Procfile", "web: dotnet $VIRTUAL_ENV/publish/app.dll\n"), ("all.slnx", "<Solution><Project Path=\"app.csproj\" /></Solution>\n"),
        ("app.csproj", "<Project Sdk=\"Microsoft.NET.Sdk.Web\"><PropertyGroup><TargetFramework>net10.0</TargetFramework><ImplicitUsings>enable</ImplicitUsings></PropertyGroup></Project>\n"),
        ("Program.cs", "var app = WebApplication.Create(args);\napp.MapGet(\"/\", () => Environment.GetEnvironmentVariable(\"GREETING\") + \" from .NET\");\napp.Run();\n"));

    [Fact]
    public Task Node_with_a_lock_file_and_a_package_of_its_own_repository() => AnswersAsync("locked", "npm", "Running npm ci", "hello from Node",
        ("Procfile", "web: node server.js\n"), ("server.js", Node),
        ("package.json", """{"name":"app","version":"1.0.0","dependencies":{"greet":"file:vendor/greet"}}"""),
        ("package-lock.json",
            """
            {"name":"app","version":"1.0.0","lockfileVersion":3,"requires":true,"packages":{
              "":{"name":"app","version":"1.0.0","dependencies":{"greet":"file:vendor/greet"}},
              "node_modules/greet":{"resolved":"vendor/greet","link":true},
              "vendor/greet":{"version":"1.0.0"}}}
            """),
        ("vendor/greet/package.json", """{"name":"greet","version":"1.0.0","main":"index.js"}"""), ("vendor/greet/index.js", "module.exports = ' from Node'\n"));

    [Fact]
    public async Task Python_with_wheels_of_its_own_repository_that_an_included_file_names()
    {
        const string App = "import os, greeting\ndef app(e, s):\n    s('200 OK', [])\n    return [(os.environ['GREETING'] + greeting.TAIL).encode()]\n";
        var repository = await Repository.WithFilesAsync(Piku.Client, "wheels", ("Procfile", "wsgi: app:app\n"), ("app.py", App),
            ("requirements.txt", "# all\n-r more/base.txt\n"), ("more/base.txt", "./vendor/greeting-1-py3-none-any.whl\n"), ("pyproject.toml", "[tool.black]\n"));
        repository.Write("ENV", $"NGINX_SERVER_NAME={repository.Host}\nGREETING=hello\n");
        WriteWheel(repository, "1", " from Python 1");
        WriteWheel(repository, "2", " from Python 2");
        Assert.Contains("Running pip", await repository.PushAsync(), StringComparison.Ordinal);
        await shared.Browser.AssertSaysAsync(shared.Browser.Http(repository.Host), "hello from Python 1");

        repository.Replace("ENV", "hello", "bye");
        Assert.DoesNotContain("Running pip", await repository.PushAsync(), StringComparison.Ordinal);
        repository.Replace("more/base.txt", "greeting-1", "greeting-2");
        Assert.Contains("Running pip", await repository.PushAsync(), StringComparison.Ordinal);
        await shared.Browser.AssertSaysAsync(shared.Browser.Http(repository.Host), "bye from Python 2");
        await Piku.Client.CommandAsync("destroy", "wheels");
    }

    private async Task AnswersAsync(string app, string tool, string said, string answer, params (string, string)[] files)
    {
        Assert.SkipUnless(Tools.Find(tool, Programs.SearchPath) is not null, $"{tool} is not installed");
        var repository = await Repository.WithFilesAsync(Piku.Client, app, files);
        repository.Write("ENV", $"NGINX_SERVER_NAME={repository.Host}\nGREETING=hello\n");
        Assert.Contains(said, await repository.PushAsync(), StringComparison.Ordinal);
        await shared.Browser.AssertSaysAsync(shared.Browser.Http(repository.Host), answer);
        if (CleaningTools.Contains(tool))
        {
            repository.Replace("ENV", "hello", "bye");
            await repository.PushAsync();
            await shared.Browser.AssertSaysAsync(shared.Browser.Https(repository.Host), answer.Replace("hello", "bye", StringComparison.Ordinal));
        }
        await Piku.Client.CommandAsync("destroy", app);
    }

    /// <summary>A package of one module, as PEP 427 has it.</summary>
    private static void WriteWheel(Repository repository, string version, string tail)
    {
        Directory.CreateDirectory(Path.Combine(repository.Folder, "vendor"));
        using var wheel = ZipFile.Open(Path.Combine(repository.Folder, "vendor", $"greeting-{version}-py3-none-any.whl"), ZipArchiveMode.Create);
        Add("greeting.py", $"TAIL = '{tail}'\n");
        Add($"greeting-{version}.dist-info/METADATA", $"Metadata-Version: 2.1\nName: greeting\nVersion: {version}\n");
        Add($"greeting-{version}.dist-info/WHEEL", "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n");
        Add($"greeting-{version}.dist-info/RECORD", "");

        void Add(string name, string text)
        {
            using var writer = new StreamWriter(wheel.CreateEntry(name).Open());
            writer.Write(text);
        }
    }
}
