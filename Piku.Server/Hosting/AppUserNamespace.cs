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
    /// <summary>Tells the program that is started inside that it is there by this way, and not root of anybody else's namespace.</summary>
    private const string Mark = "PIKU_INTERNAL_INSIDE";

    private const string SearchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    /// <summary>
    /// Makes the names of the apps' users known to all inside, hides the sockets by which a person's own systemd takes orders,
    /// since nginx connects as piku to wherever an app's socket leads, and becomes the program.
    /// </summary>
    private const string Inside = """
        mount --bind "$1" /etc/passwd && mount --bind "$2" /etc/group &&
        { [ ! -d /run/user ] || mount -t tmpfs -o mode=755 none /run/user; } &&
        shift 2 && exec setpriv --clear-groups -- "$@"
        """;

    /// <summary>Whether this process is root of such a namespace.</summary>
    public static bool IsInside { get; } = UserNamespace.Users is not null && Environment.GetEnvironmentVariable(Mark) is not null;

    /// <summary>Goes in, or returns because it is there, or because apps have no users of their own.</summary>
    /// <param name="arguments">Of this program, which is started again.</param>
    /// <returns>Where things are for apps as they are.</returns>
    /// <exception cref="UserError">It is not possible on this machine as it is; the sentence says what is missing.</exception>
    public static async Task<PikuPaths> EnterAsDaemonAsync(PikuPaths paths, PikuOptions options, IReadOnlyList<string> arguments)
    {
        if (IsInside)
            return Enter(paths);
        if (!options.AppUsers)
        {
            await GiveBackAsync(paths);
            return paths;
        }
        if (!options.Supervise)
            throw new UserError("apps.users needs services.supervise: uWSGI and nginx must be started by piku to be where the apps' users are.");
        var namespaces = await NamespacesAsync();
        CheckFolders(paths);
        using (Daemon.OnlyOne(paths))
        {
            // From inside, what an earlier daemon has left is out of reach: it is in a namespace that was another's.
            foreach (var process in EmperorService.Leftovers(paths))
                Signals.Send(process.Id, Signals.Kill);
        }
        AppUsers.Write(paths, UnixUser.Current);
        throw Become(paths, namespaces, arguments);
    }

    /// <summary>The same for a command on the server: where a daemon runs, it goes where that is, whatever the options say by now.</summary>
    /// <inheritdoc cref="EnterAsDaemonAsync"/>
    public static async Task<PikuPaths> EnterAsync(PikuPaths paths, PikuOptions options, IReadOnlyList<string> arguments)
    {
        if (IsInside)
            return Enter(paths);
        if (Daemon.ProcessIdOn(paths) is { } daemon)
        {
            if (UserNamespace.IsOurs(daemon))
                return paths;
            throw Become(
                Require("nsenter"),
                ["nsenter", "--user", "--mount", $"--target={daemon}", $"--wdns={Environment.CurrentDirectory}", "--", Environment.ProcessPath!, .. arguments]);
        }
        if (!options.AppUsers)
            return paths;
        var namespaces = await NamespacesAsync();
        if (!File.Exists(AppUsers.PasswordFile(paths)))
            AppUsers.Write(paths, UnixUser.Current);
        throw Become(paths, namespaces, arguments);
    }

    private static PikuPaths Enter(PikuPaths paths)
    {
        Environment.SetEnvironmentVariable(Mark, null);
        // What piku makes is for itself, unless it says otherwise.
        FileCreation.BePrivate();
        return paths with { HasAppUsers = true };
    }

    /// <summary>Makes everything piku's own again that has belonged to users of apps while they had some.</summary>
    private static async Task GiveBackAsync(PikuPaths paths)
    {
        if (!Directory.Exists(paths.Homes))
            return;
        using var only = Daemon.OnlyOne(paths);
        var others = Ownership.Foreign(paths);
        if (others.Length == 0)
            return;
        var all = Range();
        others = [.. others.Where(folder => all.Contains(Owner.Of(folder).User))];
        if (others.Length == 0)
            return;
        var run = await ChildProcess.CaptureAsync(
            Call("unshare", ["--user", .. Maps(), "--", .. Ownership.Command(new(0, 0), others)]), CancellationToken.None);
        if (!run.Status.Succeeded)
            throw new UserError($"the folders of apps that had users of their own could not be given back to piku: {run.Error.Trim()}");
    }

    /// <summary>What unshare(1) is to make, once that has been tried.</summary>
    private static async Task<string[]> NamespacesAsync()
    {
        string[] namespaces = ["--user", "--mount", "--propagation=slave", .. Maps()];
        var run = await ChildProcess.CaptureAsync(Call("unshare", [.. namespaces, "--", "true"]), CancellationToken.None);
        return run.Status.Succeeded ? namespaces
            : throw new UserError($"apps.users: this system lets {UnixUser.Current.Name} make no user namespace ({run.Error.Trim()}); docs/users.md says what may be in the way.");
    }

    /// <summary>Inside as outside they have the same numbers, users as groups, so that nobody must translate.</summary>
    private static string[] Maps()
    {
        Require("newuidmap", "uidmap");
        var all = Range();
        return ["--map-root-user", $"--map-users={all.First},{all.First},{all.Count}", $"--map-groups={all.First},{all.First},{all.Count}"];
    }

    private static IdRange Range()
    {
        var me = UnixUser.Current.Name;
        var users = SubordinateIds.Parse(AtomicFile.ReadIfExists("/etc/subuid") ?? "", me, Owner.Self.User);
        var groups = SubordinateIds.Parse(AtomicFile.ReadIfExists("/etc/subgid") ?? "", me, Owner.Self.User);
        var both = SubordinateIds.Common(users, groups, UserNamespace.Fewest)
            ?? throw new UserError($"apps.users: /etc/subuid and /etc/subgid do not give the user {me} the same {UserNamespace.Fewest} numbers or more: run 'usermod --add-subuids 600000-665535 --add-subgids 600000-665535 {me}' as root, with numbers that nobody else has there.");
        return new(both.First, both.Count);
    }

    /// <summary>What cannot be seen any more from inside, what apps must come through, and what they must not be able to do.</summary>
    private static void CheckFolders(PikuPaths paths)
    {
        if (AtomicFile.ReadIfExists("/proc/sys/fs/protected_hardlinks")?.Trim() == "0")
            throw new UserError("apps.users: with the kernel's setting fs.protected_hardlinks at 0 an app could have other files of piku's given to it: run 'sysctl fs.protected_hardlinks=1' as root.");
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

    private static UserError Become(PikuPaths paths, string[] namespaces, IReadOnlyList<string> arguments) => Become(
        Require("unshare"),
        ["unshare", .. namespaces, "--", "/bin/sh", "-c", Inside, "sh", AppUsers.PasswordFile(paths), AppUsers.GroupFile(paths), Environment.ProcessPath!, .. arguments]);

    /// <returns>Only if it fails.</returns>
    private static UserError Become(string file, string[] words)
    {
        var environment = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(variable => $"{variable.Key}={variable.Value}");
        return new($"{file} could not be started: {Marshal.GetPInvokeErrorMessage(Exec.Replace(file, words, environment.Append($"{Mark}=1")))}");
    }
}
