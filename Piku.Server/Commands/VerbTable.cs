using System.Collections.Immutable;
using Piku.Core.Formats;
using Piku.Core.Model;

namespace Piku.Server.Commands;

/// <summary>Everything that can be asked of piku. Adding a command is adding an entry here.</summary>
internal static class VerbTable
{
    /// <summary>In the order of <c>help</c>.</summary>
    public static readonly ImmutableArray<Verb> All =
    [
        new("apps", "", Right.None, "List the apps; * marks those that run.", AppVerbs.ListAsync),
        new("config", "APP", Right.Read, "Show the settings made with config:set.", ConfigVerbs.ShowAsync),
        new("config:get", "APP NAME", Right.Deploy, "Show the value that a setting has in the end, also from the app's ENV file, with $REFERENCES expanded.", ConfigVerbs.GetAsync),
        new("config:set", "APP NAME=VALUE...", Right.Deploy, "Change settings and deploy again, if they change; when that fails, they stay what they were.", ConfigVerbs.SetAsync),
        new("config:unset", "APP NAME...", Right.Deploy, "Remove settings and deploy again, if there were any.", ConfigVerbs.UnsetAsync),
        new("config:live", "APP", Right.Read, "Show the whole environment of the version that runs.", ConfigVerbs.LiveAsync),
        new("deploy", "APP [--rebuild]", Right.Deploy, "Rebuild and restart the app from the last push; --rebuild installs all dependencies anew.", AppVerbs.DeployAsync),
        new("deploys", "", Right.None, "List the deploys that are under way or wait, whose they are, since when, and how far.", DeployVerbs.ListAsync),
        new("deploys:cancel", "APP", Right.Deploy, "End the deploy of an app that is under way, or else the first that waits; the version before runs on.", DeployVerbs.CancelAsync),
        new("destroy", "APP", Right.Destroy, "Remove an app; its data and cache stay.", AppVerbs.DestroyAsync),
        new("disk", "[APP]", Right.Read, "Show how much room the apps take on the disk, or what of one app takes it.", DiskVerb.RunAsync),
        new("help", "[COMMAND|settings [WORD]]", Right.None, "Show this list, what one command does, or the settings of apps, all or those about a word.", HelpVerb.RunAsync),
        new("keys", "", Right.Administer, "List the keys that may log in, their rights, and when each was used last.", KeyVerbs.ListAsync),
        new("keys:add", "NAME [--apps APP...] [--role ROLE]", Right.Administer, "Authorize the public key on standard input, as an admin unless --role says deployer or reader; --apps: for some apps only (shop-*).", KeyVerbs.AddAsync),
        new("keys:remove", "NAME|FINGERPRINT [--force]", Right.Administer, "Remove a key, under all its names; --force also the one that you use, or the last admin's.", KeyVerbs.RemoveAsync),
        new("keys:show", "NAME|FINGERPRINT", Right.Administer, "Show all about a key.", KeyVerbs.ShowAsync),
        new("logs", "APP [PROCESS]", Right.Read, "Show the last log lines and follow what comes, of all processes or of one (web, web.1).", LogsVerb.RunAsync) { IsEndless = true },
        new("ps", "APP", Right.Read, "Show how many processes of each kind the app has.", ScaleVerbs.ShowAsync),
        new("ps:scale", "APP KIND=COUNT...", Right.Deploy, "Change how many processes of a kind run (web=2), without building anew.", ScaleVerbs.SetAsync),
        new("releases", "APP", Right.Read, "List what was deployed, when and by whom; * marks what runs.", ReleaseVerbs.ListAsync),
        new("releases:log", "APP [NUMBER]", Right.Deploy, "Show all that a deploy said, the last one's or that of a release.", ReleaseVerbs.LogAsync),
        new("restart", "APP", Right.Deploy, "Start the app's processes anew, also after 'stop'.", AppVerbs.RestartAsync),
        new("rollback", "APP [NUMBER] [--keep-config] [--skip-release]", Right.Deploy, "Go back to the good release before, or to that one: code, dependencies, settings and scaling; --keep-config without the last two.", ReleaseVerbs.RollBackAsync),
        new("run", "APP COMMAND...", Right.Deploy, "Run a shell command in the app's folder with its environment.", RunVerb.RunAsync),
        new("setup", "", Right.Administer, "Make the folders that piku needs.", SetupVerbs.RunAsync),
        new("setup:ssh", "FILE|-", Right.Administer, "Authorize a public key, from a file on the server or from standard input (-).", SetupVerbs.SshAsync),
        new("stop", "APP", Right.Deploy, "Stop the app until it is pushed, deployed or restarted.", AppVerbs.StopAsync),
        new("update", "", Right.None, "Say how to upgrade piku.", HelpVerb.UpdateAsync),
        new("version", "", Right.None, "Show which version of piku this is.", HelpVerb.VersionAsync),
        new("git-receive-pack", "REPOSITORY", Right.Deploy, "", GitVerbs.ReceiveAsync),
        new("git-upload-pack", "REPOSITORY", Right.Read, "", GitVerbs.UploadAsync),
        new("git-upload-archive", "REPOSITORY", Right.Read, "", GitVerbs.ArchiveAsync),
        new("sftp-server", "", Right.Read, "", FileVerbs.SftpAsync) { IsEndless = true },
        new("scp", "OPTION...", Right.Read, "", FileVerbs.ScpAsync) { Usage = new("scp", "OPTION...") { IsForProgram = true } },
    ];

    /// <summary>Those of piku, then those of the plugins.</summary>
    public static ImmutableArray<Verb> With(PikuPaths paths) => [.. All, .. PluginVerbs.All(paths).Where(verb => Find(verb.Name) is null)];

    /// <summary>The verb of that name, piku's own or a plugin's.</summary>
    public static Verb? Find(PikuPaths paths, string name) => Find(name) ?? PluginVerbs.Find(paths, name);

    public static Verb? Find(string name) => All.FirstOrDefault(verb => verb.Name == name) ?? name switch
    {
        "--help" or "-h" => Find("help"),
        "--version" => Find("version"),
        _ => null,
    };

    /// <summary>" (did you mean 'ps:scale'?)", or nothing when no command is close.</summary>
    public static string Suggestion(string typed) =>
        All.Where(verb => verb.IsForPeople && typed.Length <= 32).Select(verb => (verb.Name, Distance: EditDistance.Between(verb.Name, typed)))
            .Where(near => near.Distance <= 2).OrderBy(near => near.Distance).FirstOrDefault().Name is { } name
            ? $" (did you mean '{name}'?)"
            : "";
}
