using Piku.Core.Model;
using Piku.Core.Settings;

namespace Piku.Core.Runtimes;

/// <summary>Python by requirements.txt, Poetry and uv. The environment of all three is <c>envs/APP</c>.</summary>
internal static class PythonRuntimes
{
    /// <summary>uv's, and pyenv's: the version an app wants.</summary>
    public const string VersionFile = ".python-version";

    /// <summary>What beside the requirements says what is installed, when they name the app itself.</summary>
    private static readonly string[] ProjectFiles = ["pyproject.toml", "setup.py", "setup.cfg"];

    public static readonly Runtime Pip = new("Python", facts => facts.Has(Requirements.File))
    {
        Tools = [Tool.Apt("virtualenv")],
        Steps = context => PipSteps(Unbuffered(context)),
    };

    public static readonly Runtime Poetry = new("Python (Poetry)", facts => facts.Has("pyproject.toml"))
    {
        Tools = [Tool.Apt("poetry", "python3-poetry")],
        Steps = context => PoetrySteps(Unbuffered(context)),
    };

    public static readonly Runtime Uv = new("Python (uv)", facts => facts.Has("pyproject.toml"))
    {
        Tools = [new Tool("uv", "see https://docs.astral.sh/uv")],
        Steps = context => UvSteps(Unbuffered(context)),
    };

    private static BuildContext Unbuffered(BuildContext context) =>
        context.With("PYTHONUNBUFFERED", "1").With("PYTHONIOENCODING", "UTF_8:replace");

    private static IEnumerable<BuildStep> PipSteps(BuildContext context)
    {
        var version = RuntimeSettings.PythonVersion.In(context.Variables);
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
        : context.Facts.Texts.GetValueOrDefault(VersionFile)?.Trim() is not { Length: > 0 } text ? null
        : text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_') && text[0] != '-' ? text
        : throw new UserError($"{VersionFile} must hold one version, such as 3.12.");
}
