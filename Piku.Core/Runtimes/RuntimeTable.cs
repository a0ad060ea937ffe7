using System.Collections.Frozen;
using System.Collections.Immutable;
using Piku.Core.Model;

namespace Piku.Core.Runtimes;

/// <summary>Every runtime there is, in the order in which an app is compared with them: the first that fits builds it.</summary>
public static class RuntimeTable
{
    private static readonly Tool Java = Tool.Apt("java", "default-jdk-headless");

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
        new("Java (Maven)", facts => facts.Has("pom.xml") && facts.Has("mvnw"))
        {
            Tools = [Java],
            Outputs = ["target"],
            Steps = context => [Maven(context, "sh", "./mvnw")],
        },
        new("Java (Maven)", facts => facts.Has("pom.xml"))
        {
            Tools = [Java, Tool.Apt("mvn", "maven")],
            Outputs = ["target"],
            Steps = context => [Maven(context, "mvn")],
        },
        new("Java (Gradle)", facts => IsGradle(facts) && facts.Has("gradlew"))
        {
            Tools = [Java],
            Outputs = ["build"],
            Steps = context => [Gradle(context, "sh", "./gradlew")],
        },
        new("Java (Gradle)", IsGradle)
        {
            Tools = [Java, Tool.Apt("gradle")],
            Outputs = ["build"],
            Steps = context => [Gradle(context, "gradle")],
        },
        new("Go", facts => facts.Has("Godeps") || facts.Has("go.mod") || facts.HasExtension(".go"))
        {
            Tools = [Tool.Apt("go", "golang-go")],
            // What is vendored is complete; tidying would ask the network for it.
            Steps = context => context.Has("go.mod") && !context.Has("vendor") ? [context.Step("go", "Running go mod tidy", "go", "mod", "tidy")] : [],
        },
        new("Clojure", facts => facts.Has("deps.edn"))
        {
            Tools = [Java, new Tool("clojure", "see https://clojure.org/guides/install_clojure")],
            Outputs = ["target"],
            Steps = context =>
            [
                context.With("CLJ_CONFIG", $"{context.Facts.Host.AppHome}/.clojure")
                    .Step("clojure", "Building with Clojure", "clojure", "-T:build", "release"),
            ],
        },
        new("Clojure (Leiningen)", facts => facts.Has("project.clj"))
        {
            Tools = [Java, Tool.Apt("lein", "leiningen")],
            Outputs = ["target"],
            Steps = context =>
            {
                var lein = context.With("LEIN_HOME", $"{context.Facts.Host.AppHome}/.lein");
                return [new("leiningen", "Building with Leiningen", [lein.Run("lein", "clean"), lein.Run("lein", "uberjar")])];
            },
        },
        new("PHP (Composer)", facts => facts.Has("composer.json"))
        {
            Tools = [Tool.Apt("composer")],
            Steps = context =>
            [
                context.Step("composer", "Running composer install", "composer", "install", "--no-dev", "--no-interaction", "--no-progress")
                    with { Inputs = ["composer.json", "composer.lock"], IsInTree = true, IsMissing = !context.Has("vendor") },
            ],
        },
        new("PHP", facts => facts.HasWorker("php")) { Tools = [Tool.Apt("uwsgi_php", "uwsgi-plugin-php")] },
        new("Rust", facts => facts.Has("Cargo.toml"))
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

    /// <summary>For an app that looks like none of them: its programs run as they were committed (D31).</summary>
    private static readonly Runtime Unbuilt = new("generic", _ => true)
    {
        Warnings = _ => ["nothing was built: there is no requirements.txt, package.json, go.mod or other file that tells piku how, so the Procfile's programs run as they were committed."],
    };

    /// <summary>Files that say how to build an app, in a way that piku does not know, and what to do about it.</summary>
    private static readonly (string File, string Sentence)[] Unread =
    [
        ("Pipfile", "piku does not read Pipfile: run 'pipenv requirements > requirements.txt', and commit that file."),
        ("setup.py", "piku does not read setup.py: add a file requirements.txt with the line '.', by which pip installs the app itself."),
        ("Dockerfile", "piku does not build containers: instead of the Dockerfile add requirements.txt, package.json or what the language uses."),
    ];

    /// <summary>Programs whose presence the facts must tell.</summary>
    public static readonly FrozenSet<string> ToolNames =
        [.. All.SelectMany(runtime => runtime.Tools).SelectMany(tool => tool.Instead.Prepend(tool.Name)), "yarn", "pnpm", .. PythonRuntimes.Interpreters];

    /// <summary>The first runtime that the app looks like and whose tools are there, and the sentences about those passed over.</summary>
    /// <exception cref="UserError">None; the message says what is missing.</exception>
    public static (Runtime Runtime, ImmutableArray<string> Warnings) Detect(DeployFacts facts)
    {
        var likely = All.Where(runtime => runtime.Marks(facts)).ToArray();
        var runtime = likely.FirstOrDefault(one => !one.MissingOn(facts.Host).Any())
            ?? (likely.Length == 0 && !Unread.Any(one => facts.Has(one.File)) ? Unbuilt : throw Unknown(likely, facts));
        return (runtime, [.. likely.TakeWhile(one => one != runtime).Select(one => $"{Missing(one, facts)}, so it is built as {runtime.Name}.")]);
    }

    private static bool IsGradle(DeployFacts facts) => facts.Has("build.gradle") || facts.Has("build.gradle.kts");

    private static BuildStep Maven(BuildContext context, params string[] program) => context.Has("target")
        ? context.Step("maven", "Rebuilding with Maven", [.. program, "clean", "package"])
        : context.Step("maven", "Building with Maven", [.. program, "package"]);

    private static BuildStep Gradle(BuildContext context, params string[] program) => context.Has("build")
        ? context.Step("gradle", "Rebuilding with Gradle", [.. program, "clean", "build"])
        : context.Step("gradle", "Building with Gradle", [.. program, "build"]);

    /// <summary>Empty where there is one only. Beside a solution, the project is meant: of two files dotnet itself takes none.</summary>
    private static string[] ProjectToPublish(DeployFacts facts)
    {
        var files = facts.AppEntries.Where(entry => ProjectEndings.Any(ending => entry.EndsWith(ending, StringComparison.Ordinal))).Order(StringComparer.Ordinal).ToArray();
        var projects = files.Where(file => !file.EndsWith(".sln", StringComparison.Ordinal) && !file.EndsWith(".slnx", StringComparison.Ordinal)).ToArray();
        return files.Length > 1 && projects.Length == 1 ? projects : [];
    }

    private static UserError Unknown(Runtime[] likely, DeployFacts facts) => new(
        likely.Length > 0 ? string.Join("; or ", likely.Select(one => Missing(one, facts))) + "."
        : Unread.First(one => facts.Has(one.File)).Sentence);

    private static string Missing(Runtime runtime, DeployFacts facts) =>
        $"The app looks like {runtime.Name}, but {string.Join(" and ", runtime.MissingOn(facts.Host).Select(tool => $"'{tool.Name}' is not installed ({tool.Source})"))}";
}
