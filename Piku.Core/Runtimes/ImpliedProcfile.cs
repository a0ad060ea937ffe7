using System.Text.Json;
using Piku.Core.Formats;

namespace Piku.Core.Runtimes;

/// <summary>What an app without a Procfile runs, where its files leave no doubt (D31).</summary>
public static class ImpliedProcfile
{
    /// <summary>Beside these a page may be one of a program, whose code is not to be served.</summary>
    private static readonly string[] SignsOfCode =
    [
        NodeRuntimes.Manifest, Requirements.File, "pyproject.toml", "setup.py", "Pipfile", "manage.py", "app.py", "Gemfile", "config.ru", "composer.json", "index.php",
        "go.mod", "Cargo.toml", "pom.xml", "build.gradle", "build.gradle.kts", "project.clj", "deps.edn", "deno.json", "mix.exs", "shard.yml", "build.zig", "Dockerfile",
    ];

    /// <summary>For package.json with a start script, npm's; for index.html, nginx; null for what only its author knows.</summary>
    /// <param name="hasEntry">Tells whether the app's folder has a file of that name.</param>
    /// <param name="manifest">The text of package.json; null when there is none.</param>
    public static Procfile? Of(Func<string, bool> hasEntry, string? manifest) =>
        manifest is not null && HasStartScript(manifest)
            ? With("web: npm start", "package.json has a start script")
        : hasEntry("index.html") && !SignsOfCode.Any(hasEntry) ? With("static: .", "there is an index.html")
        : null;

    private static Procfile With(string line, string reason) =>
        Procfile.Parse(line) with { Warnings = [$"there is no Procfile; because {reason}, it is taken to be '{line}'."] };

    private static bool HasStartScript(string manifest)
    {
        try
        {
            using var json = JsonDocument.Parse(manifest);
            return json.RootElement is { ValueKind: JsonValueKind.Object } root
                && root.TryGetProperty("scripts", out var scripts) && scripts.ValueKind is JsonValueKind.Object
                && scripts.TryGetProperty("start", out var start) && start.ValueKind is JsonValueKind.String;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
