using System.Collections.Immutable;

namespace Piku.Server.Commands;

/// <summary>Everything that can be asked of piku. Adding a command is adding an entry here.</summary>
internal static class VerbTable
{
    /// <summary>In the order of <c>help</c>.</summary>
    public static readonly ImmutableArray<Verb> All =
    [
        new("apps", "", "List the apps; * marks those that run.", AppVerbs.ListAsync),
        new("config", "APP", "Show the settings made with config:set.", ConfigVerbs.ShowAsync),
        new("config:get", "APP NAME", "Show one setting, its references expanded.", ConfigVerbs.GetAsync),
        new("config:set", "APP NAME=VALUE...", "Change settings and deploy again.", ConfigVerbs.SetAsync),
        new("config:unset", "APP NAME...", "Remove settings and deploy again.", ConfigVerbs.UnsetAsync),
        new("config:live", "APP", "Show the whole environment of the version that runs.", ConfigVerbs.LiveAsync),
        new("deploy", "APP", "Build and start the app again from what was pushed last.", AppVerbs.DeployAsync),
        new("destroy", "APP", "Remove an app; its data and cache stay.", AppVerbs.DestroyAsync),
        new("help", "[COMMAND]", "Show this list, or what one command does.", HelpVerb.RunAsync),
        new("logs", "APP [PROCESS]", "Show the last log lines and follow what comes, of all processes or of one (web, web.1).", LogsVerb.RunAsync),
        new("ps", "APP", "Show how many processes of each kind the app has.", ScaleVerbs.ShowAsync),
        new("ps:scale", "APP KIND=COUNT...", "Change how many processes of a kind run (web=2).", ScaleVerbs.SetAsync),
        new("restart", "APP", "Start the app's processes anew, also after 'stop'.", AppVerbs.RestartAsync),
        new("run", "APP COMMAND...", "Run a shell command in the app's folder with its environment.", RunVerb.RunAsync),
        new("setup", "", "Make the folders that piku needs.", SetupVerbs.RunAsync),
        new("setup:ssh", "FILE|-", "Let a public key in, from a file on the server or from standard input (-).", SetupVerbs.SshAsync),
        new("stop", "APP", "Stop the app until it is pushed, deployed or restarted.", AppVerbs.StopAsync),
        new("version", "", "Show which version of piku this is.", HelpVerb.VersionAsync),
        new("git-receive-pack", "REPOSITORY", "", GitVerbs.ReceiveAsync),
        new("git-upload-pack", "REPOSITORY", "", GitVerbs.UploadAsync),
        new("git-upload-archive", "REPOSITORY", "", GitVerbs.ArchiveAsync),
        new("sftp-server", "", "", FileVerbs.SftpAsync),
        new("scp", "OPTION...", "", FileVerbs.ScpAsync),
    ];

    public static Verb? Find(string name) => All.FirstOrDefault(verb => verb.Name == name) ?? name switch
    {
        "--help" or "-h" => Find("help"),
        "--version" => Find("version"),
        _ => null,
    };

    /// <summary>" (did you mean 'ps:scale'?)", or nothing when no command is close.</summary>
    public static string Suggestion(string typed) =>
        All.Where(verb => verb.IsForPeople && typed.Length <= 32).Select(verb => (verb.Name, Distance: EditDistance(verb.Name, typed)))
            .Where(near => near.Distance <= 2).OrderBy(near => near.Distance).FirstOrDefault().Name is { } name
            ? $" (did you mean '{name}'?)"
            : "";

    /// <summary>Levenshtein's distance: the fewest insertions, deletions and replacements of one character.</summary>
    private static int EditDistance(string from, string to)
    {
        var previous = Enumerable.Range(0, to.Length + 1).ToArray();
        for (var i = 1; i <= from.Length; i++)
        {
            var current = new int[to.Length + 1];
            current[0] = i;
            for (var j = 1; j <= to.Length; j++)
            {
                var replace = previous[j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
                current[j] = Math.Min(replace, Math.Min(previous[j], current[j - 1]) + 1);
            }
            previous = current;
        }
        return previous[^1];
    }
}
