using System.Text.RegularExpressions;
using Piku.Core.Formats;
using Piku.Core.Model;
using Piku.Core.Settings;
using Tomlyn.Model;

namespace Piku.Core.Runtimes;

/// <summary>Python by requirements.txt, Poetry and uv. The environment of all three is <c>envs/APP</c>.</summary>
internal static partial class PythonRuntimes
{
    /// <summary>uv's, and pyenv's: the version an app wants.</summary>
    public const string VersionFile = ".python-version";

    /// <summary>Heroku's, for the same.</summary>
    private const string HerokuVersionFile = "runtime.txt";

    private const string Project = "pyproject.toml";

    /// <summary>Tables of a pyproject.toml of which one at least is there when it says what to install.</summary>
    private static readonly string[] ProjectTables = ["project", "dependency-groups"], ProjectTools = ["poetry", "uv"];

    /// <summary>What of the app's files decides how it is built.</summary>
    public static readonly string[] FilesToRead = [VersionFile, HerokuVersionFile, Project];

    /// <summary>Programs whose presence tells which versions of Python there are.</summary>
    public static readonly string[] Interpreters = [.. Enumerable.Range(6, 20).Select(minor => $"python3.{minor}")];

    /// <summary>What beside the requirements says what is installed, when they name the app itself.</summary>
    private static readonly string[] ProjectFiles = ["pyproject.toml", "setup.py", "setup.cfg"];

    public static readonly Runtime Pip = new("Python", facts => facts.Has(Requirements.File))
    {
        Tools = [Tool.Apt("virtualenv")],
        Steps = context => PipSteps(Unbuffered(context)),
        Warnings = context => Wanted(context.Facts, context.Variables).Warning is { } warning ? [warning] : [],
    };

    public static readonly Runtime Poetry = new("Python (Poetry)", IsProject)
    {
        Tools = [Tool.Apt("poetry", "python3-poetry")],
        Steps = context => PoetrySteps(Unbuffered(context)),
    };

    public static readonly Runtime Uv = new("Python (uv)", IsProject)
    {
        Tools = [new Tool("uv", "see https://docs.astral.sh/uv")],
        Steps = context => UvSteps(Unbuffered(context)),
    };

    /// <summary>The Python of an app that is installed by pip: what PYTHON_VERSION says, or else a file of the app.</summary>
    public static string Version(DeployFacts facts, EnvMap variables) => Wanted(facts, variables).Version;

    /// <summary>A file that this machine cannot follow is told, and stands in nobody's way.</summary>
    private static (string Version, string? Warning) Wanted(DeployFacts facts, EnvMap variables)
    {
        var usual = RuntimeSettings.PythonVersion.In(variables);
        if (RuntimeSettings.PythonVersion.IsSetIn(variables) || !facts.Has(Requirements.File))
            return (usual, null);
        foreach (var file in new[] { VersionFile, HerokuVersionFile })
        {
            if (FirstLine(facts, file) is not { } text)
                continue;
            return VersionText().Match(text) is not { Success: true } match ? (usual, Passed(file, $"'{text}', which is no version such as 3.12"))
                : facts.Host.Tools.Contains($"python{match.Groups["version"].Value}") ? (match.Groups["version"].Value, null)
                : (usual, Passed(file, $"Python {match.Groups["version"].Value}, which is not installed"));
        }
        return (usual, null);

        string Passed(string file, string what) => $"{file} asks for {what}: the app gets Python {usual} of this machine. PYTHON_VERSION chooses another.";
    }

    /// <summary>A pyproject.toml that only configures tools, such as a linter, is no sign of Python: lock files and tables tell.</summary>
    private static bool IsProject(DeployFacts facts) => facts.Has(Project)
        && (facts.Has("poetry.lock") || facts.Has("uv.lock") || !facts.Texts.TryGetValue(Project, out var text) || SaysWhatToInstall(Toml.Parse(text, Project)));

    private static bool SaysWhatToInstall(TomlTable project) => ProjectTables.Any(project.ContainsKey)
        || (project.TryGetValue("tool", out var tools) && tools is TomlTable table && ProjectTools.Any(table.ContainsKey));

    /// <summary>The first that says something; null for none.</summary>
    private static string? FirstLine(DeployFacts facts, string file) =>
        TextLines.Saying(facts.Texts.GetValueOrDefault(file) ?? "").Select(line => line.Text).FirstOrDefault();

    private static BuildContext Unbuffered(BuildContext context) =>
        context.With("PYTHONUNBUFFERED", "1").With("PYTHONIOENCODING", "UTF_8:replace");

    private static IEnumerable<BuildStep> PipSteps(BuildContext context)
    {
        var version = Version(context.Facts, context.Variables);
        var isMissing = !context.Made("bin/activate");
        yield return new BuildStep("virtualenv", $"Creating a virtualenv with Python {version}",
            [context.RunIn(context.Facts.Paths.Envs, "virtualenv", $"--python=python{version}", context.Facts.App.Value)])
        { InputValues = [version], IsMissing = isMissing };
        var texts = context.Facts.Texts;
        // Starting pip for nothing would be most of what the first push of a small app takes.
        var (title, actions) = Requirements.AreEmpty(texts) ? ($"{Requirements.File} names no packages", Array.Empty<BuildAction>())
            : ("Running pip", [context.RunIn(Requirements.NamesFolders(texts) ? context.App : context.Env, "pip", "install", "-r", $"{context.App}/{Requirements.File}")]);
        yield return new BuildStep("pip", title, [.. actions])
        {
            Inputs = [.. Requirements.Files(texts), .. ProjectFiles.Where(context.Has)],
            InputValues = [version],
            IsMissing = isMissing,
        };
    }

    /// <summary>Poetry builds in <c>.venv</c>, but would take VIRTUAL_ENV for an environment that is ready.</summary>
    private static IEnumerable<BuildStep> PoetrySteps(BuildContext context)
    {
        var own = context.With("POETRY_VIRTUALENVS_IN_PROJECT", "1");
        own = own with { Variables = own.Variables.Without("VIRTUAL_ENV") };
        yield return new BuildStep("poetry", "Running poetry",
            [new BuildAction.MakeFolder(own.Env), new BuildAction.Link($"{own.App}/.venv", own.Env), own.Run("poetry", "install")])
        {
            Inputs = ["pyproject.toml", "poetry.lock"],
            InputValues = [RuntimeSettings.PythonVersion.In(own.Variables)],
            IsMissing = !own.Made("bin/activate"),
        };
    }

    private static IEnumerable<BuildStep> UvSteps(BuildContext context)
    {
        var own = context.With("UV_PROJECT_ENVIRONMENT", context.Env).With("UV_PYTHON_PREFERENCE", "managed");
        var version = UvVersion(own);
        yield return new BuildStep("uv", "Running uv sync",
            [new BuildAction.MakeFolder(own.Env), own.Run(["uv", "sync", .. version is null ? Array.Empty<string>() : ["--python", version]])])
        {
            Inputs = ["pyproject.toml", "uv.lock"],
            InputValues = [version ?? ""],
            IsMissing = !own.Made("bin/python"),
        };
    }

    private static string? UvVersion(BuildContext context) =>
        RuntimeSettings.PythonVersion.IsSetIn(context.Variables) ? RuntimeSettings.PythonVersion.In(context.Variables)
        : FirstLine(context.Facts, VersionFile) is not { } text ? null
        : text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_') && text[0] != '-' ? text
        : throw new UserError($"{VersionFile} must hold one version, such as 3.12.");

    [GeneratedRegex(@"^(?:python-)?(?<version>[23]\.\d+)(?:\.\d+)?\z")]
    private static partial Regex VersionText();
}
