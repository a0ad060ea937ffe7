using Piku.Core.Formats;
using Piku.Core.Machine;
using Piku.Core.Model;
using Piku.Core.Settings;

namespace Piku.Core.Deploy;

/// <summary>Where in its repository an app is: PIKU_APP_DIR as config:set has it, or else as the repository's own ENV file.</summary>
public static class AppDirectory
{
    /// <summary>The path below <c>apps/APP</c>; empty when the app is all of it.</summary>
    /// <exception cref="UserError">There is no such folder in the version that is checked out.</exception>
    public static string Of(Installation piku, AppName app)
    {
        var set = piku.Apps.Config(app).Find(AppSettings.Directory.Key);
        return piku.Users.Of(app).Do(() => Of(piku.Paths.App(app), app, set));
    }

    private static string Of(string root, AppName app, string? configured)
    {
        // Its other lines are judged when the app is deployed.
        var repository = EnvMap.From(EnvFile.ParseAnyNames(AppText.Read(AtomicFile.ReadBytesIfExists(Path.Combine(root, "ENV")), "ENV"), "ENV"));
        var key = AppSettings.Directory.Key;
        if ((configured ?? repository.Find(key)) is not { Length: > 0 } set)
            return "";
        var names = AppSettings.Directory.In(EnvMap.From([new(key, set)])).Split('/', StringSplitOptions.RemoveEmptyEntries);
        // Each step on the way must be a folder itself: a link may lead out of the app.
        var folder = root;
        foreach (var name in names)
        {
            folder = Path.Combine(folder, name);
            if (name is "." or ".." or ".git" || new DirectoryInfo(folder) is not { Exists: true, LinkTarget: null })
                throw new UserError($"{key} is '{set}', but this version of '{app}' has no such folder of its own: commit it, or change the setting.");
        }
        return string.Join('/', names);
    }
}
