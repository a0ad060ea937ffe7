using System.Text;
using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Core.Apps;

/// <summary>
/// The unix users of apps, where they have some (<c>apps.users</c>): whose <c>homes/APP</c> is, is the app's user. The
/// number stays the app's for good, also when it is destroyed, because its data may come back to it. See docs/users.md.
/// </summary>
public sealed class AppUsers(PikuPaths paths, TimeProvider clock)
{
    private static readonly string[] KeptInCheckpoint = ["env", "outputs"];

    /// <summary>Beside the homes: no app has such a name.</summary>
    private string Making => Path.Combine(paths.Homes, ".making");

    /// <summary>How programs that run as an app call its user; read by all processes of this installation in place of the system's.</summary>
    public static string PasswordFile(PikuPaths paths) => Path.Combine(paths.Run, "passwd");

    /// <inheritdoc cref="PasswordFile"/>
    public static string GroupFile(PikuPaths paths) => Path.Combine(paths.Run, "group");

    /// <summary>The app's user; ourselves where apps have none, or this one has none yet.</summary>
    /// <exception cref="UserError">The app has lost its user, and would run as piku.</exception>
    public Owner Of(AppName app) => Of(paths, app);

    /// <inheritdoc cref="Of(AppName)"/>
    public static Owner Of(PikuPaths paths, AppName app)
    {
        if (!paths.HasAppUsers)
            return Owner.Self;
        var user = Owner.Of(paths.Home(app));
        return user.IsOther || !new AppStore(paths).Exists(app) ? user
            : throw new UserError($"the app '{app}' has no user of its own: {paths.Home(app)} is missing, or belongs to somebody who is none of piku's. Start piku again, which gives it one.");
    }

    /// <summary>The variables that differ for programs that run as the app.</summary>
    public EnvMap Environment(AppName app) =>
        Of(app).IsOther ? EnvMap.Empty.With("HOME", paths.Home(app)).With("USER", NameOf(app)).With("LOGNAME", NameOf(app)) : EnvMap.Empty;

    /// <summary>Gives an app a user, unless it has one, or apps have none here.</summary>
    /// <exception cref="UserError">There are no more.</exception>
    public Task EnsureAsync(AppName app, CancellationToken cancel) => Of(app).IsOther ? Task.CompletedTask : ClaimAsync(app, cancel);

    /// <summary>
    /// The same for an app whose user may have been given elsewhere meanwhile, or is none of this machine's: in an
    /// installation that was copied or brought here. What else is the app's is then to follow.
    /// </summary>
    /// <inheritdoc cref="EnsureAsync" path="/exception"/>
    public async Task ClaimAsync(AppName app, CancellationToken cancel)
    {
        if (!paths.HasAppUsers)
            return;
        await UserNumbers.Of(UnixUser.Current, clock).ClaimAsync(
            paths.Home(app), Owner.Of(paths.Home(app)), UserNamespace.Users!.Value, user => SettleAsync(app, user, cancel), cancel);
    }

    private async Task SettleAsync(AppName app, Owner user, CancellationToken cancel)
    {
        var home = paths.Home(app);
        if (Directory.Exists(home) && Owner.Of(home) == user)
            return;
        if (Directory.Exists(home))
        {
            await Ownership.GiveAsync(user, [home], cancel);
        }
        else
        {
            WholeFolder.Remove(Making);
            user.MakeFolder(Making);
            Directory.Move(Making, home);
        }
        Publish(app, user);
    }

    /// <summary>Ends all that runs as the app's own user, also what has left every group and session that piku knows.</summary>
    public async Task EndProcessesAsync(AppName app, CancellationToken cancel)
    {
        // kill(2), pid -1: every process that the sender may signal, which as this user is all of theirs.
        if (Of(app) is { IsOther: true } user)
            await ChildProcess.CaptureAsync(new() { Program = "/bin/sh", Arguments = ["-c", "kill -KILL -1"], Folder = "/", Environment = EnvMap.Empty, User = user }, cancel);
    }

    /// <summary>What of an app is its user's, as far as it is there: each a folder in one that is piku's.</summary>
    public IEnumerable<string> FoldersOf(AppName app) =>
        new[] { paths.App(app), paths.Repo(app), paths.Env(app), paths.AppData(app), paths.AppLogs(app), paths.Sockets(app), paths.Home(app) }
            .Concat(KeptOf(app)).Where(Directory.Exists);

    /// <summary>What is kept aside: of earlier releases, and of a deploy that was interrupted.</summary>
    private IEnumerable<string> KeptOf(AppName app) =>
        (Directory.Exists(paths.KeptDependencies(app)) ? Directory.GetDirectories(paths.KeptDependencies(app)) : [])
            .Select(kept => Path.Combine(kept, "env"))
            .Concat(KeptInCheckpoint.Select(part => Path.Combine(paths.AppState(app), "checkpoint", part)));

    /// <summary>Writes the two files anew: the system's users, who we are inside, and the users of all apps.</summary>
    /// <param name="me">Who runs piku.</param>
    public static void Write(PikuPaths paths, UnixUser me)
    {
        Directory.CreateDirectory(paths.Run);
        var users = Homes(paths).ToList();
        AtomicFile.Write(PasswordFile(paths), Text($"{me.Name}:x:0:0::{me.Home}:/bin/sh\n", "/etc/passwd", users.Select(user => PasswordLine(paths, user.App, user.Owner))), AtomicFile.Readable);
        AtomicFile.Write(GroupFile(paths), Text($"{me.Group}:x:0:\n", "/etc/group", users.Select(user => GroupLine(user.App, user.Owner))), AtomicFile.Readable);

        // What is read may be one of ours already.
        static string Text(string first, string system, IEnumerable<string> lines)
        {
            string[] ours = [first, .. lines];
            var theirs = (AtomicFile.ReadIfExists(system) ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line + "\n");
            return string.Concat([first, .. theirs.Except(ours), .. ours[1..]]);
        }
    }

    /// <summary>
    /// Mounts the two files over the system's again when somebody has changed those: programs such as useradd(8) put a new
    /// file in the place of the old, and the kernel then takes away what was mounted there (rename(2), "EBUSY").
    /// </summary>
    /// <returns>What is in the way, for the log.</returns>
    public async Task<string?> KeepNamesAsync(CancellationToken cancel)
    {
        const string Remount = """for file in passwd group; do umount /etc/$file 2> /dev/null; mount --bind "$1/$file" /etc/$file || exit; done""";
        if (!paths.HasAppUsers || (IsMounted(PasswordFile(paths), "/etc/passwd") && IsMounted(GroupFile(paths), "/etc/group")))
            return null;
        Write(paths, UnixUser.Current);
        var run = await ChildProcess.CaptureAsync(
            new() { Program = "/bin/sh", Arguments = ["-c", Remount, "sh", paths.Run], Folder = "/", Environment = EnvMap.Empty.With("PATH", "/usr/bin:/bin") }, cancel);
        return run.Status.Succeeded ? null : $"the apps' users have no names: {run.Error.Trim()}";

        static bool IsMounted(string ours, string system) => AtomicFile.ReadIfExists(ours) == AtomicFile.ReadIfExists(system);
    }

    /// <summary>Apps and their users, as the homes have it.</summary>
    private static IEnumerable<(AppName App, Owner Owner)> Homes(PikuPaths paths) => !Directory.Exists(paths.Homes) ? [] :
        from folder in Directory.GetDirectories(paths.Homes)
        let owner = Owner.Of(folder)
        where owner != Owner.Self && AppName.TryParse(Path.GetFileName(folder), out _)
        select (AppName.Parse(Path.GetFileName(folder)), owner);

    /// <summary>In one write, and in place: the file that is mounted over the system's is this very one.</summary>
    private void Publish(AppName app, Owner user)
    {
        Append(PasswordFile(paths), PasswordLine(paths, app, user));
        Append(GroupFile(paths), GroupLine(app, user));

        static void Append(string path, string line)
        {
            using var file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
            file.Write(Encoding.UTF8.GetBytes(line));
        }
    }

    private static string NameOf(AppName app) => $"piku-{app}";

    private static string PasswordLine(PikuPaths paths, AppName app, Owner user) => $"{NameOf(app)}:x:{user.User}:{user.Group}::{paths.Home(app)}:/bin/sh\n";

    private static string GroupLine(AppName app, Owner user) => $"{NameOf(app)}:x:{user.Group}:\n";
}
