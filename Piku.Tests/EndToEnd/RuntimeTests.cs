using Piku.Core.Machine;

namespace Piku.Tests.EndToEnd;

/// <summary>
/// An app of every runtime, pushed and asked over http. Ruby, Go and PHP are built by the real tools; the others by
/// programs that stand for them on the PATH, write down how they were called, and make what the Procfile runs.
/// </summary>
[NeedsMachine]
public sealed class RuntimeTests(RuntimeTests.Workshop workshop) : IClassFixture<RuntimeTests.Workshop>
{
    /// <summary>What stands in for a compiled program.</summary>
    private const string Server =
        """
        #!/usr/bin/env python3
        import http.server, os
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200); self.end_headers(); self.wfile.write(os.environ['GREETING'].encode())
        http.server.HTTPServer((os.environ['BIND_ADDRESS'], int(os.environ['PORT'])), Handler).serve_forever()
        """;

    private const string Ruby =
        """
        require "socket"
        server = TCPServer.new(ENV["BIND_ADDRESS"], ENV["PORT"].to_i)
        loop do
          client = server.accept
          nil until client.gets.to_s.strip.empty?
          client.print "HTTP/1.0 200 OK\r\n\r\n#{ENV['GREETING']} from Ruby"
          client.close
        end
        """;

    private const string Go =
        """
        package main

        import (
        	"fmt"
        	"net/http"
        	"os"

        	"example.org/greeting"
        )

        func main() {
        	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, os.Getenv("GREETING"), greeting.Tail) })
        	http.ListenAndServe(os.Getenv("BIND_ADDRESS")+":"+os.Getenv("PORT"), nil)
        }
        """;

    private PikuInstance Piku => workshop.Shared.Piku;

    [Fact]
    public Task Ruby_with_a_gem_of_its_own_repository() => AnswersAsync("ruby", "Ruby app detected", "hello from Ruby", ("Procfile", "web: bundle exec ruby server.rb\n"),
        ("Gemfile", "gem 'greeting', path: 'vendor/greeting'\n"), ("server.rb", Ruby),
        ("vendor/greeting/greeting.gemspec", "Gem::Specification.new { |s| s.name = 'greeting'; s.version = '1'; s.summary = 'x'; s.authors = ['x'] }\n"));

    [Fact]
    public Task Ruby_in_uwsgi()
    {
        Assert.SkipUnless(Directory.GetFiles("/usr/lib/uwsgi/plugins", "rack_*").Length > 0, "uWSGI has no plugin for Rack here");
        // With a copy of Debian's Rack, since no gem can be fetched here.
        var lib = Path.Combine(Directory.GetDirectories("/usr/share/rubygems-integration/all/gems", "rack-2*")[0], "lib");
        return AnswersAsync("rack", "Ruby app detected", "hello from Rack",
        [
            ("Procfile", "rwsgi: config.ru\n"), ("Gemfile", "gem 'rack', path: 'vendor/rack'\n"),
            ("config.ru", "run lambda { |env| [200, {}, [ENV['GREETING'] + ' from Rack']] }\n"),
            ("vendor/rack/rack.gemspec", "Gem::Specification.new { |s| s.name = 'rack'; s.version = '2'; s.summary = 'x'; s.authors = ['x'] }\n"),
            .. Directory.GetFiles(lib, "*.rb", SearchOption.AllDirectories).Select(file => ($"vendor/rack/lib/{Path.GetRelativePath(lib, file)}", File.ReadAllText(file))),
        ]);
    }

    [Fact]
    public Task Go_with_a_module_of_its_own_repository() => AnswersAsync("go", "Go app detected", "hello from Go", ("Procfile", "release: go build -o server .\nweb: ./server\n"),
        ("go.mod", "module example.org/app\n\ngo 1.19\n\nrequire example.org/greeting v0.0.0\n\nreplace example.org/greeting => ./greeting\n"),
        ("main.go", Go), ("greeting/go.mod", "module example.org/greeting\n\ngo 1.19\n"), ("greeting/greeting.go", "package greeting\n\nconst Tail = \" from Go\"\n"));

    [Fact]
    public Task Php_in_uwsgi() => AnswersAsync("php", "PHP app detected", "hello from PHP", ("Procfile", "php: public\n"),
        ("public/index.php", "<?php echo getenv('GREETING'), ' from PHP';"), ("public/.htaccess", ""));

    /// <param name="marks">The file that says which runtime it is.</param>
    /// <param name="calls">All calls of the stand-ins, at the first and at a second deploy.</param>
    [Theory]
    [InlineData("Java (Maven)", "pom.xml", "mvn package", "mvn clean package")]
    [InlineData("Java (Gradle)", "build.gradle", "gradle build", "gradle clean build")]
    [InlineData("Rust", "Cargo.toml,rust-toolchain.toml", "cargo build", "cargo build")]
    [InlineData("Clojure", "deps.edn", "clojure -T:build release", "clojure -T:build release")]
    [InlineData("Clojure (Leiningen)", "project.clj", "lein clean|lein uberjar", "lein clean|lein uberjar")]
    [InlineData(".NET", "app.csproj", "dotnet publish -c Release -o {env}/publish", "dotnet publish -c Release -o {env}/publish")]
    [InlineData("Deno", "deno.json", "deno install", "")]
    [InlineData("Elixir", "mix.exs", "mix local.hex --force --if-missing|mix local.rebar --force --if-missing|mix deps.get --only prod|mix compile",
        "mix compile")]
    [InlineData("Crystal", "shard.yml", "shards build --release", "shards build --release")]
    [InlineData("Zig", "build.zig", "zig build -Doptimize=ReleaseSafe", "zig build -Doptimize=ReleaseSafe")]
    [InlineData("Bun", "package.json,bun.lock", "bun install --frozen-lockfile --cwd {env}", "")]
    [InlineData("Python (Poetry)", "pyproject.toml", "poetry install", "")]
    public async Task A_runtime_whose_tools_are_played(string runtime, string marks, string calls, string callsAgain)
    {
        var app = "by-" + new string([.. runtime.ToLowerInvariant().Where(char.IsAsciiLetter)]);
        var files = marks.Split(',').Select(file => (file, file.EndsWith(".toml", StringComparison.Ordinal) ? "[tool.poetry]\n" : "{}\n"));
        var repository = await PushAsync(app, $"{runtime} app detected", [.. files, ("Procfile", "web: ./target/server\n")]);
        await workshop.Shared.Browser.AssertSaysAsync(workshop.Shared.Browser.Http(repository.Host), "hello");
        Assert.Equal(Expected(calls), workshop.Calls(app));

        repository.Write("another", "version");
        await repository.PushAsync();
        await workshop.Shared.Browser.AssertSaysAsync(workshop.Shared.Browser.Http(repository.Host), "hello");
        Assert.Equal([.. Expected(calls), .. Expected(callsAgain)], workshop.Calls(app));
        await Piku.Client.CommandAsync("destroy", app);

        string[] Expected(string text) =>
            text.Replace("{env}", Path.Combine(Piku.Paths.Envs, app), StringComparison.Ordinal).Split('|', StringSplitOptions.RemoveEmptyEntries);
    }

    private async Task AnswersAsync(string app, string detected, string answer, params (string, string)[] files)
    {
        var repository = await PushAsync(app, detected, files);
        await workshop.Shared.Browser.AssertSaysAsync(workshop.Shared.Browser.Http(repository.Host), answer);
        repository.Replace("ENV", "hello", "bye");
        await repository.PushAsync();
        await workshop.Shared.Browser.AssertSaysAsync(workshop.Shared.Browser.Https(repository.Host), answer.Replace("hello", "bye", StringComparison.Ordinal));
        await Piku.Client.CommandAsync("destroy", app);
    }

    private async Task<Repository> PushAsync(string app, string detected, (string, string)[] files)
    {
        var repository = await Repository.WithFilesAsync(Piku.Client, app, files);
        repository.Write("ENV", $"NGINX_SERVER_NAME={repository.Host}\nGREETING=hello\nGOCACHE=$DATA_ROOT/cache\nGOPATH=$DATA_ROOT/go\n");
        Assert.Contains(detected, await repository.PushAsync(), StringComparison.Ordinal);
        return repository;
    }

    /// <summary>A daemon with stand-ins for tools first among the system's on its PATH.</summary>
    public sealed class Workshop : IAsyncLifetime
    {
        private static readonly string[] Tools =
            ["mvn", "java", "gradle", "cargo", "rustc", "clojure", "lein", "dotnet", "deno", "mix", "shards", "zig", "bun", "poetry"];

        private PikuInstance? _piku;
        private Browser? _browser;

        public (PikuInstance Piku, Browser Browser) Shared => (_piku!, _browser!);

        public async ValueTask InitializeAsync()
        {
            _piku = await PikuInstance.StartAsync(async piku =>
            {
                var folder = Directory.CreateDirectory(Path.Combine(piku.Home, "tools")).FullName;
                await File.WriteAllTextAsync(Path.Combine(folder, "server"), Server, TestContext.Current.CancellationToken);
                foreach (var tool in Tools)
                    await File.WriteAllTextAsync(Path.Combine(folder, tool), Tool(tool, folder), TestContext.Current.CancellationToken);
                foreach (var file in Directory.GetFiles(folder))
                    File.SetUnixFileMode(file, AtomicFile.Executable);
                piku.Environment = piku.Environment.With("PATH", $"{folder}:{Programs.SearchPath}");
            });
            _browser = new Browser(_piku);
        }

        public string[] Calls(string app) => File.ReadAllLines(Path.Combine(_piku!.Paths.Data, app, "calls"));

        public async ValueTask DisposeAsync()
        {
            _browser?.Dispose();
            if (_piku is not null)
                await _piku.DisposeAsync();
        }

        /// <summary>Makes target/server, wherever the tool itself would have put its result.</summary>
        private static string Tool(string name, string folder) => $$"""
            #!/bin/sh
            echo {{name}} "$@" >>"$DATA_ROOT/calls"
            mkdir -p target build deps
            cp {{folder}}/server target/server
            [ ! -e .venv ] || { mkdir -p .venv/bin && touch .venv/bin/activate; }
            [ {{name}} != bun ] || mkdir -p "$VIRTUAL_ENV/node_modules"
            """;
    }
}
