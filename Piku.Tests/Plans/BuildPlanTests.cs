using System.Collections.Frozen;
using Piku.Core.Model;
using Piku.Core.Runtimes;

namespace Piku.Tests.Plans;

/// <summary>What the recordings cannot show of builds.</summary>
public sealed class BuildPlanTests
{
    [Theory]
    [InlineData("requirements.txt package.json", "Python")]
    [InlineData("pyproject.toml package.json", "Python (Poetry)")]
    [InlineData("Gemfile package.json", "Ruby")]
    [InlineData("package.json pom.xml", "Node")]
    [InlineData("package.json bun.lock", "Bun")]
    [InlineData("pom.xml build.gradle", "Java (Maven)")]
    [InlineData("build.gradle go.mod", "Java (Gradle)")]
    [InlineData("Godeps", "Go")]
    [InlineData("main.go", "Go")]
    [InlineData("deps.edn project.clj", "Clojure")]
    [InlineData("project.clj", "Clojure (Leiningen)")]
    [InlineData("Cargo.toml rust-toolchain.toml", "Rust")]
    [InlineData("Cargo.toml", "Rust")]
    [InlineData("build.gradle.kts", "Java (Gradle)")]
    [InlineData("composer.json package.json", "Node")]
    [InlineData("composer.json", "PHP (Composer)")]
    [InlineData("Pipfile requirements.txt setup.py", "Python")]
    [InlineData("shop.csproj", ".NET")]
    [InlineData("deno.json", "Deno")]
    [InlineData("mix.exs", "Elixir")]
    [InlineData("shard.yml", "Crystal")]
    [InlineData("build.zig", "Zig")]
    public void The_first_runtime_that_fits_builds_the_app(string entries, string runtime) =>
        Assert.Equal(runtime, BuildPlan.Create(TestApp.With("web: x", "", entries.Split(' '))).Runtime);

    [Theory]
    [InlineData("php: public", "PHP")]
    [InlineData("release: x\nweb: y", "generic")]
    [InlineData("worker: python3 bot.py", "generic")]
    [InlineData("static: public", "static")]
    public void Some_runtimes_are_told_by_the_procfile(string procfile, string runtime) =>
        Assert.Equal(runtime, BuildPlan.Create(TestApp.With(procfile)).Runtime);

    [Fact]
    public void A_runtime_without_its_tools_is_passed_over_with_a_warning()
    {
        var facts = TestApp.With("web: x", "", "pyproject.toml", "package.json");
        var plan = BuildPlan.Create(facts with { Host = facts.Host with { Tools = ["node", "npm"] } });
        Assert.Equal("Node", plan.Runtime);
        Assert.Equal(2, plan.Warnings.Length);
        Assert.Equal("The app looks like Python (Poetry), but 'poetry' is not installed (apt install python3-poetry), so it is built as Node.", plan.Warnings[0]);
    }

    [Theory]
    [InlineData("Gemfile", "'bundle' is not installed (apt install ruby-bundler)")]
    [InlineData("Dockerfile", "piku does not build containers")]
    [InlineData("Pipfile", "piku does not read Pipfile: run 'pipenv requirements > requirements.txt', and commit that file.")]
    [InlineData("setup.py", "piku does not read setup.py: add a file requirements.txt with the line '.'")]
    public void Without_any_the_pusher_is_told_what_to_do(string entry, string sentence)
    {
        var facts = TestApp.With("web: x", "", entry);
        var error = Assert.Throws<UserError>(() => BuildPlan.Create(facts with { Host = facts.Host with { Tools = ["ruby", "gem"] } }));
        Assert.Contains(sentence, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("package.json", "", "npm --package-lock=false install --prefix ENV")]
    [InlineData("package.json package-lock.json", "", "npm ci --prefix ENV")]
    [InlineData("package.json pnpm-lock.yaml", "", "pnpm install --frozen-lockfile --prefix ENV")]
    [InlineData("package.json yarn.lock", "", "yarn --cwd ENV install --frozen-lockfile")]
    [InlineData("package.json package-lock.json", "NODE_PACKAGE_MANAGER=yarn --flat", "npm install -g yarn; yarn --flat install --prefix ENV")]
    [InlineData("package.json", "NODE_PACKAGE_MANAGER=npm --legacy-peer-deps", "npm --legacy-peer-deps install --prefix ENV")]
    [InlineData("package.json bun.lock", "", "bun install --frozen-lockfile --cwd ENV")]
    [InlineData("requirements.txt", "PYTHON_VERSION=3.12", "virtualenv --python=python3.12 blog; pip install -r APP/requirements.txt")]
    [InlineData("pom.xml", "", "mvn package")]
    [InlineData("pom.xml mvnw target", "", "sh ./mvnw clean package")]
    [InlineData("build.gradle.kts gradlew", "", "sh ./gradlew build")]
    [InlineData("composer.json", "", "composer install --no-dev --no-interaction --no-progress")]
    [InlineData("deps.edn", "", "clojure -T:build release")]
    [InlineData("project.clj", "", "lein clean; lein uberjar")]
    [InlineData("shop.sln", "", "dotnet publish -c Release -o ENV/publish")]
    [InlineData("main.go", "", "")]
    [InlineData("main.go go.mod", "", "go mod tidy")]
    [InlineData("main.go go.mod vendor", "", "")]
    [InlineData("shop.csproj shop.sln", "", "dotnet publish shop.csproj -c Release -o ENV/publish")]
    [InlineData("a.csproj b.csproj", "", "dotnet publish -c Release -o ENV/publish")]
    public void Steps_are_what_users_of_the_language_expect(string entries, string env, string commands)
    {
        var plan = BuildPlan.Create(TestApp.With("web: x", env, entries.Split(' ')));
        var runs = plan.Steps.SelectMany(step => step.Actions).OfType<BuildAction.Run>().Select(run => string.Join(' ', run.Argv));
        Assert.Equal(
            commands.Replace("ENV", "/home/piku/.piku/envs/blog", StringComparison.Ordinal).Replace("APP", "/home/piku/.piku/apps/blog", StringComparison.Ordinal),
            string.Join("; ", runs));
    }

    [Fact]
    public void Programs_that_need_no_build_run_and_the_pusher_is_told_that_nothing_was_built()
    {
        Assert.StartsWith("nothing was built: there is no requirements.txt", Assert.Single(BuildPlan.Create(TestApp.With("web: ./server", "", "server")).Warnings), StringComparison.Ordinal);
        Assert.Empty(BuildPlan.Create(TestApp.With("static: .", "", "index.html")).Warnings);
    }

    [Theory]
    [InlineData("[tool.ruff]\nline-length = 100\n", "Node")]
    [InlineData("[tool.black]\n[build-system]\nrequires = []\n", "Node")]
    [InlineData("[tool.poetry]\nname = 'x'\n", "Python (Poetry)")]
    [InlineData("[project]\nname = 'x'\n", "Python (Poetry)")]
    [InlineData("[tool.uv]\n", "Python (Poetry)")]
    public void A_pyproject_that_only_configures_a_linter_is_no_sign_of_python(string text, string runtime) =>
        Assert.Equal(runtime, BuildPlan.Create(WithTexts(TestApp.With("web: x", "", "pyproject.toml", "package.json"), ("pyproject.toml", text))).Runtime);

    [Theory]
    [InlineData(".python-version", "3.11.4\n", "", "python3.11", null)]
    [InlineData(".python-version", "# ours\r\n3.11\r\n3.9\r\n", "", "python3.11", null)]
    [InlineData("runtime.txt", "python-3.11.9\n", "", "python3.11", null)]
    [InlineData("runtime.txt", "python-3.11.9\n", "PYTHON_VERSION=3", "python3", null)]
    [InlineData(".python-version", "3.8\n", "", "python3", ".python-version asks for Python 3.8, which is not installed: the app gets Python 3 of this machine. PYTHON_VERSION chooses another.")]
    [InlineData(".python-version", "pypy3.9\n", "", "python3", ".python-version asks for 'pypy3.9', which is no version such as 3.12: the app gets Python 3 of this machine. PYTHON_VERSION chooses another.")]
    [InlineData(".python-version", "\n", "", "python3", null)]
    public void A_version_of_python_in_a_file_of_the_app_is_followed_or_named(string file, string text, string env, string python, string? warning)
    {
        var facts = WithTexts(TestApp.With("wsgi: a:a", env, "requirements.txt", file), (file, text));
        var plan = BuildPlan.Create(facts with { Host = facts.Host with { Tools = ["virtualenv", "python3.11"] } });
        Assert.Equal($"--python={python}", plan.Steps[0].Actions.OfType<BuildAction.Run>().Single().Argv[1]);
        Assert.Equal(warning is null ? [] : [warning], plan.Warnings);
    }

    [Fact]
    public void A_lock_file_of_uv_decides_with_the_manifest()
    {
        var facts = TestApp.With("web: x", "", "pyproject.toml", "uv.lock", ".python-version") with
        {
            Texts = new Dictionary<string, string> { [".python-version"] = "3.12.1\n" }.ToFrozenDictionary(),
        };
        var step = Assert.Single(BuildPlan.Create(facts with { Host = facts.Host with { Tools = ["uv"] } }).Steps);
        Assert.Equal(["pyproject.toml", "uv.lock"], step.Inputs);
        Assert.Equal(["uv", "sync", "--python", "3.12.1"], Assert.Single(step.Actions.OfType<BuildAction.Run>()).Argv);
    }

    [Fact]
    public void Requirements_files_that_others_include_decide_too()
    {
        var step = PipStep(("requirements.txt", "-r more/base.txt\n-c https://x.test/c.txt\nrequests  # -r no.txt\n"), ("more/base.txt", "--requirement=../dev.txt\n-r ../../outside.txt\n"), ("dev.txt", "-r requirements.txt\n"));
        Assert.Equal(["requirements.txt", "more/base.txt", "dev.txt", "outside.txt"], step.Inputs);
        Assert.Equal("/home/piku/.piku/envs/blog", Assert.Single(step.Actions.OfType<BuildAction.Run>()).Folder);
    }

    [Theory]
    [InlineData("-e .")]
    [InlineData("requests\n.[postgres]")]
    [InlineData("./vendor/x-1-py3-none-any.whl")]
    public void Requirements_that_name_folders_are_read_in_the_app(string text) =>
        Assert.Equal("/home/piku/.piku/apps/blog", Assert.Single(PipStep(("requirements.txt", text)).Actions.OfType<BuildAction.Run>()).Folder);

    [Theory]
    [InlineData("", false)]
    [InlineData("\n  # flask\r\n\t\n#", false)]
    [InlineData("# web\nflask", true)]
    [InlineData("# web\rflask", true)]
    [InlineData("# web\u2028flask", true)]
    [InlineData("-r other.txt", true)]
    [InlineData("\\\n", true)]
    public void Pip_is_not_started_for_requirements_that_name_nothing(string text, bool isStarted)
    {
        var step = PipStep(("requirements.txt", text));
        Assert.Equal((isStarted ? "Running pip" : "requirements.txt names no packages", isStarted ? 1 : 0), (step.Title, step.Actions.Length));
        // Written down as done all the same, so that what is installed for the next version is known to be something else.
        Assert.Contains("requirements.txt", step.Inputs);
    }

    [Fact]
    public void A_project_file_beside_the_requirements_decides_too() =>
        Assert.Equal(["requirements.txt", "pyproject.toml"], BuildPlan.Create(TestApp.With("web: x", "", "requirements.txt", "pyproject.toml")).Steps[1].Inputs);

    [Theory]
    [InlineData("""{"dependencies":{"a":"file:./libs/a","b":"^1.0"},"devDependencies":{"c":"link:packages/c"}}""", "libs packages")]
    [InlineData("""{"workspaces":["packages/*","absent/*"]}""", "packages")]
    [InlineData("""{"workspaces":{"packages":["libs/a"]}}""", "libs")]
    [InlineData("""{"dependencies":{"a":"file:../a","b":"file:node_modules/b"},"workspaces":7}""", "")]
    [InlineData("[]", "")]
    [InlineData("{", "")]
    public void Folders_with_packages_of_the_app_are_there_for_the_package_manager(string manifest, string folders)
    {
        var facts = TestApp.With("web: x", "", "package.json", "libs", "packages", "node_modules") with
        {
            Texts = new Dictionary<string, string> { ["package.json"] = manifest }.ToFrozenDictionary(),
        };
        var links = Assert.Single(BuildPlan.Create(facts).Steps).Actions.OfType<BuildAction.Link>().Select(link => (link.Path, link.Target));
        Assert.Equal(
            [("/home/piku/.piku/apps/blog/node_modules", "/home/piku/.piku/envs/blog/node_modules"),
                .. folders.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(name => ($"/home/piku/.piku/envs/blog/{name}", $"/home/piku/.piku/apps/blog/{name}"))],
            links.OrderBy(link => link.Target.Contains("/apps/", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("""{ "name": "x", "version": "1.0.0" }""", "", false)]
    [InlineData("{}", "NODE_PACKAGE_MANAGER=npm", true)]
    [InlineData("""{ "dependencies": {} }""", "", true)]
    [InlineData("""{ "scripts": { "install": "make" } }""", "", true)]
    [InlineData("""{ "engines": { "node": ">=99" } }""", "", true)]
    [InlineData("[]", "", true)]
    [InlineData("{", "", true)]
    [InlineData("", "", true)]
    public void Npm_is_not_started_for_a_manifest_that_names_nothing(string manifest, string env, bool isStarted)
    {
        var plan = BuildPlan.Create(TestApp.With("web: x", env, "package.json") with
        {
            Texts = new Dictionary<string, string> { ["package.json"] = manifest }.ToFrozenDictionary(),
        });
        var step = Assert.Single(plan.Steps);
        Assert.Equal((isStarted, isStarted ? 1 : 0), (step.Title.StartsWith("Running npm", StringComparison.Ordinal), step.Actions.OfType<BuildAction.Run>().Count()));
        Assert.Contains(step.Actions, action => action is BuildAction.Link { Path: "/home/piku/.piku/apps/blog/node_modules" });
    }

    [Theory]
    [InlineData("--index-url=http://evil")]
    [InlineData("3.12 --x")]
    public void A_version_file_cannot_pass_options(string text)
    {
        var facts = TestApp.With("web: x", "", "pyproject.toml") with
        {
            Texts = new Dictionary<string, string> { [".python-version"] = text }.ToFrozenDictionary(),
        };
        Assert.Throws<UserError>(() => BuildPlan.Create(facts with { Host = facts.Host with { Tools = ["uv"] } }));
    }

    [Fact]
    public void Release_sees_what_the_build_has_made_and_preflight_does_not()
    {
        var plan = BuildPlan.Create(TestApp.With("preflight: a\nrelease: b\nweb: x", "SECRET=1", "package.json"));
        Assert.Equal("1", plan.Preflight!.Environment["SECRET"]);
        Assert.Null(plan.Preflight.Environment.Find("NODE_PATH"));
        Assert.Equal("1", plan.Release!.Environment["SECRET"]);
        Assert.Equal("/home/piku/.piku/envs/blog/node_modules", plan.Release.Environment["NODE_PATH"]);
    }

    [Fact]
    public void What_is_there_is_not_made_again()
    {
        var facts = TestApp.With("web: x", "", "requirements.txt");
        Assert.All(BuildPlan.Create(facts).Steps, step => Assert.True(step.IsMissing));
        Assert.All(BuildPlan.Create(facts with { EnvEntries = ["bin/activate"] }).Steps, step => Assert.False(step.IsMissing));
    }

    [Fact]
    public void NODE_VERSION_without_nodeenv_is_passed_over_with_a_warning()
    {
        var facts = TestApp.With("web: x", "NODE_VERSION=20.0.0", "package.json");
        var plan = BuildPlan.Create(facts with { Host = facts.Host with { Tools = ["node", "npm"] } });
        Assert.StartsWith("NODE_VERSION needs nodeenv", Assert.Single(plan.Warnings), StringComparison.Ordinal);
        Assert.Single(plan.Steps);
    }

    private static DeployFacts WithTexts(DeployFacts facts, params (string Path, string Text)[] files) =>
        facts with { Texts = files.ToFrozenDictionary(file => file.Path, file => file.Text) };

    private static BuildStep PipStep(params (string Path, string Text)[] files) => BuildPlan.Create(TestApp.With("web: x", "", "requirements.txt") with
    {
        Texts = files.ToFrozenDictionary(file => file.Path, file => file.Text),
    }).Steps[1];
}
