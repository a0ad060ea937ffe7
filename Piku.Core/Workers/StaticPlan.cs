using System.Collections.Immutable;
using Piku.Core.Model;
using Piku.Core.Nginx;
using Piku.Core.Runtimes;
using Piku.Core.Settings;

namespace Piku.Core.Workers;

/// <summary>Decides which folders nginx serves itself: that of a <c>static</c> worker, and those of NGINX_STATIC_PATHS.</summary>
internal static class StaticPlan
{
    /// <summary>Every path that nginx is to serve, to see whether it is there.</summary>
    public static IEnumerable<string> Paths(DeployFacts facts, EnvMap environment) =>
        Mappings(facts, environment).Select(mapping => Absolute(facts, mapping.Path));

    /// <exception cref="UserError">A folder that must not be public, or an address that is mapped twice.</exception>
    public static ImmutableArray<StaticFolder> Folders(DeployFacts facts, EnvMap environment)
    {
        var mappings = Mappings(facts, environment);
        ImmutableArray<StaticFolder> folders = [.. mappings.Select(mapping => new StaticFolder(mapping.Url, Resolve(facts, mapping)))];
        return folders.GroupBy(folder => folder.Base).FirstOrDefault(same => same.Count() > 1) is { } twice
            ? throw new UserError($"Two static folders have the address '{twice.First().Url}'.")
            : folders;
    }

    private static ImmutableArray<StaticMapping> Mappings(DeployFacts facts, EnvMap environment)
    {
        var mappings = NginxSettings.StaticPaths.TryIn(environment, out var listed) ? listed : [];
        return facts.Procfile.Find("static") is not { } worker ? mappings
            : mappings.Insert(0, new StaticMapping("/", worker.Command.Trim('/').TrimStart(':') is { Length: > 0 } path ? path : "."));
    }

    private static string Absolute(DeployFacts facts, string path) => path.StartsWith('/') ? path : $"{facts.AppFolder}/{path}";

    /// <summary>
    /// A relative path stays in the app. Of piku's own folders, only the app's code, data and dependencies can be
    /// public, and none of the folders that hold them.
    /// </summary>
    private static string Resolve(DeployFacts facts, StaticMapping mapping)
    {
        var path = Absolute(facts, mapping.Path);
        var parts = path.TrimEnd('/').Split('/');
        var folders = facts.Paths;
        var isPublic = !parts.Contains("..") && !parts.Contains(".git") && parts[^1] is not ("ENV" or "LIVE_ENV" or "Procfile")
            && !folders.Root.IsIn(path)
            && (facts.Host.AppUser is null || IsOwn(facts, path))
            && (!path.IsIn(folders.Root)
                || path.IsIn(facts.AppFolder)
                || path.IsBelow(folders.Data)
                || path.IsBelow(facts.EnvFolder));
        return isPublic ? IsLacking(facts, path) ? throw Lacking(facts, mapping) : path : throw new UserError(
            $"The static path '{mapping.Path}' would make public what is not: use a folder of the app, of its data{(facts.Host.AppUser is null ? ", or one outside of piku's" : " or of its dependencies, because this app has a user of its own")}.");
    }

    /// <summary>Of its data, what an app has not made yet it may make while it runs, and is warned.</summary>
    public static IEnumerable<string> StillMissing(DeployFacts facts, EnvMap environment) =>
        Paths(facts, environment).Where(path => facts.MissingPaths.Contains(path) && !IsLacking(facts, path));

    private static bool IsLacking(DeployFacts facts, string path) => facts.MissingPaths.Contains(path) && !path.IsIn(facts.Paths.AppData(facts.App));

    private static UserError Lacking(DeployFacts facts, StaticMapping mapping) => new(
        mapping.Url == "/" && facts.Procfile.Find("static") is not null
            ? $"The Procfile serves '{mapping.Path}' as a static site, and there is no such folder in the app: commit it, or make it in 'release'."
            : $"{NginxSettings.StaticPaths.Key} maps '{mapping.Url}' to '{mapping.Path}', and that does not exist: correct it, or make the folder in 'release'.");

    /// <summary>nginx can read more than an app with a user of its own can.</summary>
    private static bool IsOwn(DeployFacts facts, string path) =>
        path.IsIn(facts.AppFolder) || path.IsIn(facts.Paths.AppData(facts.App)) || path.IsBelow(facts.EnvFolder);
}
