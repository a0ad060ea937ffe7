using System.Collections;
using System.Runtime.InteropServices;
using Piku.Core.Apps;
using Piku.Core.Formats;
using Piku.Core.Machine;
using Piku.Core.Model;
using Piku.Server.Hosting.Supervision;
using Piku.Server.Ssh.Authentication;

namespace Piku.Server.Hosting;

/// <summary>
/// For apps with users of their own: this process becomes, by exec(2) and so as the same process, the root of a user
/// namespace with the users that the system has given whoever runs piku (subuid(5)), and a daemon's other processes join it
/// there. Nobody becomes root of the machine. See docs/decisions/0045-a-user-per-app.md.
/// </summary>
internal static class AppUserNamespace
{
    private const string SearchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    /// <summary>Makes the names of the apps' users known to all inside, and becomes the program.</summary>
    private const string Inside = """mount --bind "$1" /etc/passwd && mount --bind "$2" /etc/group && shift 2 && exec setpriv --clear-groups -- "$@" """;

    /// <summary>Goes in, or returns because it is there, or because apps have no users of their own.</summary>
    /// <param name="arguments">Of this program, which is started again.</param>
    /// <param name="isDaemon">Whether it is to be the daemon; else it joins the one that runs.</param>
    /// <exception cref="UserError">It is not possible on this machine as it is; the sentence says what is missing.</exception>
    public static async Task EnterAsync(PikuPaths paths, PikuOptions options, IReadOnlyList<string> arguments, bool isDaemon)
    {
        if (!options.AppUsers)
        {
            await GiveBackAsync(paths);
            return;
        }
        if (UserNamespace.Users is not null)
        {
            // What piku makes is for itself, unless it says otherwise.
            FileCreation.BePrivate();
            return;
        }
        if (!options.Supervise)
            throw new UserError("apps.users needs services.supervise: uWSGI and nginx must be started by piku to be where the apps' users are.");
        string[] program = [Environment.ProcessPath!, .. arguments];
        if (!isDaemon && Daemon.ProcessIdOn(paths) is { } daemon)
            Become(Require("nsenter"), ["nsenter", "--user", "--mount", $"--target={daemon}", $"--wdns={Environment.CurrentDirectory}", "--", .. program]);
        Require("newuidmap", "uidmap");
        string[] namespaces = ["--user", "--mount", "--propagation=slave", "--map-root-user", Map("users", "/etc/subuid", "uid"), Map("groups", "/etc/subgid", "gid")];
        await TryAsync(namespaces);
        CheckFolders(paths);
        if (isDaemon)
        {
            // From inside, what an earlier daemon has left is out of reach: it is in a namespace that was another's.
            using var only = Daemon.OnlyOne(paths);
            foreach (var process in EmperorService.Leftovers(paths))
                Signals.Send(process.Id, Signals.Kill);
        }
        if (isDaemon || !File.Exists(AppUsers.PasswordFile(paths)))
            AppUsers.Write(paths, UnixUser.Current);
        Become(Require("unshare"), ["unshare", .. namespaces, "--", "/bin/sh", "-c", Inside, "sh", AppUsers.PasswordFile(paths), AppUsers.GroupFile(paths), .. program]);
    }

    /// <summary>
    /// Makes everything of apps piku's own again, that has belonged to users of theirs while they had some.
    /// </summary>
    private static async Task GiveBackAsync(PikuPaths paths)
    {
        if (UserNamespace.Users is not null || !Directory.Exists(paths.Homes))
            return;
        var others = new AppStore(paths).All().SelectMany(new AppUsers(paths, TimeProvider.System).FoldersOf)
            .Where(folder => Owner.Of(folder) != Owner.Self).ToArray();
        if (others.Length == 0)
            return;
        Require("newuidmap", "uidmap");
        var run = await ChildProcess.CaptureAsync(
            Call("unshare", ["--user", "--map-root-user", Map("users", "/etc/subuid", "uid"), Map("groups", "/etc/subgid", "gid"), "--", .. Ownership.Command(new(0, 0), others)]),
            CancellationToken.None);
        if (!run.Status.Succeeded)
            throw new UserError($"the folders of apps that had users of their own could not be given back to piku: {run.Error.Trim()}");
    }

    /// <summary>Inside as outside they have the same numbers, so that nobody must translate.</summary>
    private static string Map(string kind, string file, string program)
    {
        var me = UnixUser.Current.Name;
        var range = SubordinateIds.Parse(AtomicFile.ReadIfExists(file) ?? "", me, Owner.Self.User)
            ?? throw new UserError($"apps.users: {file} gives the user {me} no {kind}: run 'usermod --add-sub{program}s 600000-665535 {me}' as root, with numbers that nobody else has there.");
        return $"--map-{kind}={range.First},{range.First},{range.Count}";
    }

    private static async Task TryAsync(string[] namespaces)
    {
        var run = await ChildProcess.CaptureAsync(Call("unshare", [.. namespaces, "--", "true"]), CancellationToken.None);
        if (!run.Status.Succeeded)
            throw new UserError($"apps.users: this system lets {UnixUser.Current.Name} make no user namespace ({run.Error.Trim()}); docs/users.md says what may be in the way.");
    }

    /// <summary>What cannot be seen any more from inside, and what apps must come through.</summary>
    private static void CheckFolders(PikuPaths paths)
    {
        if (StrictModes.Objection(paths.AuthorizedKeys) is { } objection)
            throw new UserError($"apps.users: {objection}.");
        for (var folder = Path.GetDirectoryName(paths.Root); folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (!File.GetUnixFileMode(folder).HasFlag(UnixFileMode.OtherExecute))
                throw new UserError($"apps.users: the apps' users cannot come through {folder} to what is theirs: run 'chmod o+x {folder}', which lets nobody look into it.");
        }
    }

    private static ProgramCall Call(string program, string[] arguments) =>
        new() { Program = program, Arguments = arguments, Folder = "/", Environment = EnvMap.Empty.With("PATH", SearchPath) };

    private static string Require(string program, string package = "util-linux") => Tools.Find(program, SearchPath)
        ?? throw new UserError($"apps.users needs the program '{program}': apt install {package}.");

    private static void Become(string file, IEnumerable<string> words)
    {
        var environment = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(variable => $"{variable.Key}={variable.Value}");
        throw new UserError($"{file} could not be started: {Marshal.GetPInvokeErrorMessage(Exec.Replace(file, words, environment))}");
    }
}
