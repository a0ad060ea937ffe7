using System.Text.Json;

namespace Piku.Core.Runtimes;

/// <summary>
/// Packages of Node that are in the app's own repository: dependencies by <c>file:</c> and <c>link:</c>, and workspaces.
/// A package manager looks for them beside the package.json that it reads, which is the copy in <c>envs/APP</c>.
/// </summary>
internal static class LocalPackages
{
    private static readonly string[] Dependencies = ["dependencies", "optionalDependencies", "devDependencies"];

    /// <summary>Names of ours in <c>envs/APP</c>, which are no packages.</summary>
    private static readonly string[] Reserved = ["node_modules", "bin", "lib", "share", "include", "ENV", "LIVE_ENV", "SCALING", ".", ".."];

    /// <summary>What only people read of a manifest (package.json(5)).</summary>
    private static readonly string[] Descriptions =
        ["name", "version", "description", "keywords", "homepage", "bugs", "license", "author", "contributors", "funding", "repository", "private", "main", "type"];

    /// <summary>The folders, directly in the app, that hold them; those of files that are no JSON are none.</summary>
    public static IEnumerable<string> Folders(DeployFacts facts) =>
        facts.Texts.GetValueOrDefault(NodeRuntimes.Manifest) is not { } text ? []
        : Paths(text).Select(path => path.StartsWith("./", StringComparison.Ordinal) ? path[2..] : path).Select(path => path.Split('/')[0])
            .Distinct().Where(name => facts.Has(name) && !Reserved.Contains(name));

    /// <summary>
    /// True when the manifest is known and has nothing that a package manager would act on: no packages, scripts, engines,
    /// or whatever else it may know.
    /// </summary>
    public static bool AreNone(DeployFacts facts)
    {
        try
        {
            using var json = JsonDocument.Parse(facts.Texts.GetValueOrDefault(NodeRuntimes.Manifest) ?? "");
            return json.RootElement.ValueKind is JsonValueKind.Object && json.RootElement.EnumerateObject().All(entry => Descriptions.Contains(entry.Name));
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static List<string> Paths(string text)
    {
        try
        {
            using var json = JsonDocument.Parse(text);
            var root = json.RootElement;
            return root.ValueKind is not JsonValueKind.Object ? []
                : [.. Dependencies.SelectMany(list => PathsOf(root, list)), .. Workspaces(root)];
        }
        catch (JsonException)
        {
            // The package manager says it better.
            return [];
        }
    }

    private static IEnumerable<string> PathsOf(JsonElement root, string list) =>
        !root.TryGetProperty(list, out var packages) || packages.ValueKind is not JsonValueKind.Object ? [] :
        packages.EnumerateObject().Where(package => package.Value.ValueKind is JsonValueKind.String).Select(package => package.Value.GetString()!)
            .Where(version => version.StartsWith("file:", StringComparison.Ordinal) || version.StartsWith("link:", StringComparison.Ordinal))
            .Select(version => version["file:".Length..]);

    /// <summary>A list of patterns, or an object with one (Yarn).</summary>
    private static IEnumerable<string> Workspaces(JsonElement root)
    {
        if (!root.TryGetProperty("workspaces", out var patterns))
            return [];
        if (patterns.ValueKind is JsonValueKind.Object && !patterns.TryGetProperty("packages", out patterns))
            return [];
        return patterns.ValueKind is not JsonValueKind.Array ? []
            : patterns.EnumerateArray().Where(one => one.ValueKind is JsonValueKind.String).Select(one => one.GetString()!);
    }
}
