using System.Runtime.InteropServices;

namespace Piku.Core.Machine;

/// <summary>The user this process runs as, by the system's user database: getpwuid(3), getgrgid(3). The root of a namespace is who has made it.</summary>
public sealed record UnixUser(string Name, string Group, string Home, bool IsRoot)
{
    public static UnixUser Current { get; } = Read();

    private static UnixUser Read()
    {
        var user = Libc.EffectiveUser();
        var group = Libc.EffectiveGroup();
        var password = Libc.PasswordEntry(UserNamespace.RootIs ?? user);
        var entry = password == 0 ? default : Marshal.PtrToStructure<PasswordFields>(password);
        return new(
            Text(entry.Name) ?? $"{user}",
            Text(Libc.GroupEntry(group) is var found and not 0 ? Marshal.ReadIntPtr(found) : 0) ?? $"{group}",
            Text(entry.Home) ?? "/",
            IsRoot: user == 0);
    }

    private static string? Text(nint pointer) => Marshal.PtrToStringUTF8(pointer);

    /// <summary>struct passwd, the same in glibc and musl. Of struct group only the name, its first field, is read.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct PasswordFields(
        nint Name, nint Password, uint User, uint Group, nint Comment, nint Home, nint Shell);
}
