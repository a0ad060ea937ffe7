using System.Collections.Frozen;
using System.Collections.Immutable;
using Piku.Core.Model;

namespace Piku.Core.Runtimes;

/// <summary>Every runtime there is, in the order in which an app is compared with them: the first that fits builds it.</summary>
public static class RuntimeTable
{
    private static readonly string[] ProjectEndings = [".csproj", ".fsproj", ".vbproj", ".sln", ".slnx"];

    public static readonly ImmutableArray<Runtime> All =
    [
        PythonRuntimes.Pip,
        PythonRuntimes.Poetry,
        PythonRuntimes.Uv,
        new("Ruby", facts => facts.Has("Gemfile"))
        {
            Tools = [Tool.Apt("ruby"), Tool.Apt("gem", "ruby"), Tool.Apt("bundle", "ruby-bundler")],
            Steps = context =>
            [
                new("bundle config", "Preparing bundler",
                    [new BuildAction.MakeFolder(context.Env), context.Run("bundle", "config", "set", "--local", "path", context.Env)])
                { InputValues = [context.Env], IsInTree = true, IsMissing = !context.Has(".bundle") },
                context.Step("bundle", "Running bundle install", "bundle", "install")
                    with { Inputs = ["Gemfile", "Gemfile.lock"], IsMissing = !context.Made("ruby") },
            ],
        },
        NodeRuntimes.Bun,
        NodeRuntimes.Node,
        new("Java (Maven)", facts => facts.Has("pom.xml"))
        {
            Tools = [Tool.Apt("java", "default-jdk-headless"), Tool.Apt("mvn", "maven")],
            Outputs = ["target"],
            Steps = context =>
            [
                context.Has("target")
                    ? context.Step("maven", "Rebuilding with Maven", "mvn", "clean", "package")
                    : context.Step("maven", "Building with Maven", "mvn", "package"),
            ],
        },
        new("Java (Gradle)", facts => facts.Has("build.gradle"))
        {
            Tools = [Tool.Apt("java", "default-jdk-headless"), Tool.Apt("gradle")],
            Outputs = ["build"],
            Steps = context =>
            [
                context.Has("build")
                    ? context.Step("gradle", "Rebuilding with Gradle", "gradle", "clean", "build")
                    : context.Step("gradle", "Building with Gradle", "gradle", "build"),
            ],
        },
        new("Go", facts => facts.Has("Godeps") || facts.Has("go.mod") || facts.HasExtension(".go"))
        {
            Tools = [Tool.Apt("go", "golang-go")],
            // What is vendored is complete; tidying would ask the network for it.
            Steps = context => context.Has("go.mod") && !context.Has("vendor") ? [context.Step("go", "Running go mod tidy", "go", "mod", "tidy")] : [],
        },
        new("Clojure", facts => facts.Has("deps.edn"))
        {
            Tools = [Tool.Apt("java", "default-jdk-headless"), new Tool("clojure", "see https://clojure.org/guides/install_clojure")],
            Outputs = ["target"],
            Steps = context =>
            [
                context.With("CLJ_CONFIG", $"{context.Facts.Host.AppHome}/.clojure")
                    .Step("clojure", "Building with Clojure", "clojure", "-T:build", "release"),
            ],
        },
        new("Clojure (Leiningen)", facts => facts.Has("project.clj"))
        {
            Tools = [Tool.Apt("java", "default-jdk-headless"), Tool.Apt("lein", "leiningen")],
            Outputs = ["target"],
            Steps = context =>
            {
                var lein = context.With("LEIN_HOME", $"{context.Facts.Host.AppHome}/.lein");
                return [new("leiningen", "Building with Leiningen", [lein.Run("lein", "clean"), lein.Run("lein", "uberjar")])];
            },
        },
        new("PHP", facts => facts.HasWorker("php")) { Tools = [Tool.Apt("uwsgi_php", "uwsgi-plugin-php")] },
        new("Rust", facts => facts.Has("Cargo.toml") && facts.Has("rust-toolchain.toml"))
        {
            Tools = [Tool.Apt("rustc"), Tool.Apt("cargo")],
            Outputs = ["target"],
            Steps = context => [context.Step("cargo", "Running cargo build", "cargo", "build")],
        },
        new(".NET", facts => facts.HasExtension(ProjectEndings))
        {
            Tools = [new Tool("dotnet", "see https://learn.microsoft.com/dotnet/core/install/linux")],
            Steps = context =>
            [
                context.With("DOTNET_CLI_TELEMETRY_OPTOUT", "1").With("DOTNET_NOLOGO", "1")
                    .Step("dotnet", "Publishing with .NET", ["dotnet", "publish", .. ProjectToPublish(context.Facts), "-c", "Release", "-o", $"{context.Env}/publish"]),
            ],
            Serves = environment => environment.WithDefault("ASPNETCORE_URLS", $"http://{environment["BIND_ADDRESS"]}:{environment["PORT"]}"),
        },
        new("Deno", facts => facts.Has("deno.json") || facts.Has("deno.jsonc"))
        {
            Tools = [new Tool("deno", "see https://deno.com")],
            Steps = context => [context.Step("deno", "Running deno install", "deno", "install") with { Inputs = ["deno.json", "deno.jsonc", "deno.lock"], IsInTree = true }],
        },
        new("Elixir", facts => facts.Has("mix.exs"))
        {
            Tools = [Tool.Apt("mix", "elixir")],
            Outputs = ["_build"],
            Steps = context =>
            {
                var mix = context.With("MIX_ENV", "prod");
                return
                [
                    new("mix deps", "Fetching dependencies with mix",
                        [mix.Run("mix", "local.hex", "--force", "--if-missing"), mix.Run("mix", "local.rebar", "--force", "--if-missing"), mix.Run("mix", "deps.get", "--only", "prod")])
                    { Inputs = ["mix.exs", "mix.lock"], IsInTree = true, IsMissing = !mix.Has("deps") },
                    mix.Step("mix", "Compiling with mix", "mix", "compile"),
                ];
            },
        },
        new("Crystal", facts => facts.Has("shard.yml"))
        {
            Tools = [Tool.Apt("shards", "crystal")],
            Outputs = ["bin"],
            Steps = context => [context.Step("shards", "Building with shards", "shards", "build", "--release")],
        },
        new("Zig", facts => facts.Has("build.zig"))
        {
            Tools = [new Tool("zig", "see https://ziglang.org/download")],
            Outputs = ["zig-out"],
            Steps = context => [context.Step("zig", "Building with zig", "zig", "build", "-Doptimize=ReleaseSafe")],
        },
        new("generic", facts => facts.Procfile.Release is not null && facts.HasWorker("web")),
        new("static", facts => facts.HasWorker("static")),
    ];

    /// <summary>Programs whose presence the facts must tell.</summary>
    public static readonly FrozenSet<string> ToolNames =
        [.. All.SelectMany(runtime => runtime.Tools).SelectMany(tool => tool.Instead.Prepend(tool.Name)), "yarn", "pnpm"];

    /// <summary>The first runtime that the app looks like and whose tools are there, and the sentences about those passed over.</summary>
    /// <exception cref="UserError">None; the message says what is missing.</exception>
    public static (Runtime Runtime, ImmutableArray<string> Warnings) Detect(DeployFacts facts)
    {
        var likely = All.Where(runtime => runtime.Marks(facts)).ToArray();
        var runtime = likely.FirstOrDefault(one => !one.MissingOn(facts.Host).Any()) ?? throw Unknown(likely, facts);
        return (runtime, [.. likely.TakeWhile(one => one != runtime).Select(one => $"{Missing(one, facts)}, so it is built as {runtime.Name}.")]);
    }

    /// <summary>Empty where there is one only. Beside a solution, the project is meant: of two files dotnet itself takes none.</summary>
    private static string[] ProjectToPublish(DeployFacts facts)
    {
        var files = facts.AppEntries.Where(entry => ProjectEndings.Any(ending => entry.EndsWith(ending, StringComparison.Ordinal))).Order(StringComparer.Ordinal).ToArray();
        var projects = files.Where(file => !file.EndsWith(".sln", StringComparison.Ordinal) && !file.EndsWith(".slnx", StringComparison.Ordinal)).ToArray();
        return files.Length > 1 && projects.Length == 1 ? projects : [];
    }

    private static UserError Unknown(Runtime[] likely, DeployFacts facts) => new(
        likely.Length > 0 ? string.Join("; or ", likely.Select(one => Missing(one, facts))) + "."
        : facts.Has("Dockerfile") ? "piku does not build containers: instead of the Dockerfile add requirements.txt, package.json or what the language uses."
        : "piku cannot tell how to build the app: add requirements.txt, package.json, go.mod or what the language uses, a 'static' worker, or 'release' and 'web' in the Procfile.");

    private static string Missing(Runtime runtime, DeployFacts facts) =>
        $"The app looks like {runtime.Name}, but {string.Join(" and ", runtime.MissingOn(facts.Host).Select(tool => $"'{tool.Name}' is not installed ({tool.Source})"))}";
}
