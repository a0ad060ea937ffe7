using System.Security.Cryptography;
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
    /// <summary>No two apps get the same number, whichever processes give them.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private static readonly string[] KeptInCheckpoint = ["env", "outputs"];

    private string Lock => Path.Combine(paths.Run, "locks", "_users");

    /// <summary>Beside the homes: no app has such a name.</summary>
    private string Making => Path.Combine(paths.Homes, ".making");

    /// <summary>How programs that run as an app call its user; read by all processes of this installation in place of the system's.</summary>
    public static string PasswordFile(PikuPaths paths) => Path.Combine(paths.Run, "passwd");

    /// <inheritdoc cref="PasswordFile"/>
    public static string GroupFile(PikuPaths paths) => Path.Combine(paths.Run, "group");

    /// <summary>The app's user; ourselves where apps have none, or this one has none yet.</summary>
    public Owner Of(AppName app) => Of(paths, app);

    /// <inheritdoc cref="Of(AppName)"/>
    public static Owner Of(PikuPaths paths, AppName app) => paths.HasAppUsers ? Owner.Of(paths.Home(app)) : Owner.Self;

    /// <summary>The variables that differ for programs that run as the app.</summary>
    public EnvMap Environment(AppName app) =>
        Of(app).IsOther ? EnvMap.Empty.With("HOME", paths.Home(app)).With("USER", NameOf(app)).With("LOGNAME", NameOf(app)) : EnvMap.Empty;

    /// <summary>Gives an app a user, unless it has one, or apps have none here.</summary>
    /// <exception cref="UserError">There are no more.</exception>
    public async Task EnsureAsync(AppName app, CancellationToken cancel)
    {
        if (!paths.HasAppUsers || Of(app).IsOther)
            return;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(Patience);
        using var held = await FileLock.AcquireAsync(Lock, $"a user for {app}", clock, waiting: null, limit.Token);
        if (Of(app).IsOther)
            return;
        var user = Next();
        WholeFolder.Remove(Making);
        user.MakeFolder(Making);
        WholeFolder.Remove(paths.Home(app));
        Directory.Move(Making, paths.Home(app));
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

        static string Text(string first, string system, IEnumerable<string> lines) =>
            first + (AtomicFile.ReadIfExists(system) ?? "").TrimEnd('\n') + "\n" + string.Concat(lines);
    }

    /// <summary>Apps and their users, as the homes have it.</summary>
    private static IEnumerable<(AppName App, Owner Owner)> Homes(PikuPaths paths) => !Directory.Exists(paths.Homes) ? [] :
        from folder in Directory.GetDirectories(paths.Homes)
        let owner = Owner.Of(folder)
        where owner != Owner.Self && AppName.TryParse(Path.GetFileName(folder), out _)
        select (AppName.Parse(Path.GetFileName(folder)), owner);

    /// <summary>
    /// A number that no app has had. Installations of one user have the same numbers to give, and an app could get at one
    /// of another installation that has its own: each begins elsewhere.
    /// </summary>
    private Owner Next()
    {
        var all = UserNamespace.Users!.Value;
        var given = Homes(paths).Select(home => home.Owner.User).ToHashSet();
        ulong begin = BitConverter.ToUInt32(SHA256.HashData(Encoding.UTF8.GetBytes(paths.Root)));
        // The first stays free: it is the owner of nothing, should somebody give all numbers to another installation.
        for (var step = 0u; step < all.Count - 1; step++)
        {
            var user = all.First + 1 + (uint)((begin + step) % (all.Count - 1));
            if (!given.Contains(user))
                return new(user, user);
        }
        throw new UserError($"all {all.Count} users are given to apps, those of destroyed ones among them: remove folders of apps that never come back from {paths.Homes}, and their data.");
    }

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
