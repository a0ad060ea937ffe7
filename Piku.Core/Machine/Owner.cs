using System.Runtime.InteropServices;
using Piku.Core.Model;

namespace Piku.Core.Machine;

/// <summary>
/// A user with a group, and what is done as they: work on files with their rights and no others, so that whatever they
/// have put in the way, a link, a pipe or another folder, leads nowhere where they could not go themselves.
/// </summary>
/// <remarks>
/// setfsuid(2) and setfsgid(2) change what one thread may do with files, and with the user the capabilities that pass
/// over rights go (capabilities(7), "Effect of user ID changes on capabilities"). All else is as it was: who looks at the
/// process, signals and sockets.
/// </remarks>
public readonly record struct Owner(uint User, uint Group)
{
    /// <summary>Neither user nor group: the calls give back what is.</summary>
    private const uint Ask = uint.MaxValue;

    [ThreadStatic]
    private static Owner? _acting;

    public static Owner Self { get; } = new(Libc.EffectiveUser(), Libc.EffectiveGroup());

    /// <summary>True when this process can act as they, and is another itself.</summary>
    public bool IsOther => this != Self && UserNamespace.Users is { } users && users.Contains(User) && users.Contains(Group);

    /// <summary>Whose something is; of a link, whose the link is. Ourselves, where there is nothing.</summary>
    public static Owner Of(string path) => Libc.TryStatus(path) is { } status ? new(status.User, status.Group) : Self;

    /// <summary>Whose the folder is that a file is in, or would be.</summary>
    public static Owner Around(string file) => Of(Path.GetDirectoryName(file)!);

    /// <summary>Does something with files as this user. Not for what goes on elsewhere: tasks, and what is enumerated later.</summary>
    /// <exception cref="UserError">They have no right to it, as where an app has put a link to what is another's.</exception>
    public T Do<T>(Func<T> work)
    {
        if (typeof(T).IsAssignableTo(typeof(Task)))
            throw new InvalidOperationException("a task goes on when its thread is another user's again");
        if (!IsOther || _acting == this)
            return work();
        var before = _acting;
        Become(this);
        _acting = this;
        try
        {
            return work();
        }
        catch (UnauthorizedAccessException denied)
        {
            throw new UserError($"{denied.Message.TrimEnd('.')}: it is read and written with the rights of the app's user, who has none there.", denied);
        }
        finally
        {
            Return(before ?? Self);
            _acting = before;
        }
    }

    /// <inheritdoc cref="Do{T}"/>
    public void Do(Action work) => Do(() =>
    {
        work();
        return true;
    });

    /// <summary>Gives something to this user: a file, a folder without what is in it, or a link.</summary>
    /// <exception cref="IOException">It cannot be given away.</exception>
    public void Take(string path)
    {
        if (Of(path) != this && Libc.ChangeOwner(path, User, Group) != 0)
            throw new IOException($"{path} cannot be given to the user {User}: {Marshal.GetLastPInvokeErrorMessage()}", Marshal.GetLastPInvokeError());
    }

    /// <summary>Makes a folder that is theirs alone, if it is not there, in one that is not theirs.</summary>
    public void MakeFolder(string path)
    {
        if (!IsOther)
        {
            Directory.CreateDirectory(path);
            return;
        }
        Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Take(path);
    }

    public override string ToString() => $"{User}:{Group}";

    private static void Become(Owner owner)
    {
        var before = _acting ?? Self;
        _ = Libc.SetFileGroup(owner.Group);
        _ = Libc.SetFileUser(owner.User);
        if (Libc.SetFileUser(Ask) == owner.User && Libc.SetFileGroup(Ask) == owner.Group)
            return;
        Return(before);
        throw new IOException($"the rights of the user {owner.User} could not be taken");
    }

    /// <summary>Whoever came next on this thread would have the rights of another.</summary>
    private static void Return(Owner owner)
    {
        _ = Libc.SetFileUser(owner.User);
        _ = Libc.SetFileGroup(owner.Group);
        if (Libc.SetFileUser(Ask) != owner.User || Libc.SetFileGroup(Ask) != owner.Group)
            Environment.FailFast("a thread could not be given its own rights back");
    }
}
