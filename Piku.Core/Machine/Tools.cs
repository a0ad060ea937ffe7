using Piku.Core.Model;

namespace Piku.Core.Machine;

/// <summary>Programs, found the way execvp(3) finds them.</summary>
public static class Tools
{
    private const UnixFileMode AnyExecute =
        UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    /// <summary>The full path of a program, or null when no folder of the PATH has it.</summary>
    /// <param name="program">A name; with a slash in it, a path that is taken as it is.</param>
    /// <param name="searchPath">Folders separated by colons. Relative ones are skipped: they name whatever folder one is in.</param>
    public static string? Find(string program, string? searchPath) =>
        program.Contains('/', StringComparison.Ordinal)
            ? IsExecutable(program) ? Path.GetFullPath(program) : null
            : (searchPath ?? "").Split(':')
                .Where(Path.IsPathRooted)
                .Select(folder => Path.Combine(folder, program))
                .FirstOrDefault(IsExecutable);

    /// <summary>The full path of a program.</summary>
    /// <exception cref="UserError">It is not there.</exception>
    public static string Require(string program, string? searchPath) => Find(program, searchPath)
        ?? throw new UserError($"The program '{program}' was not found: install it, or put its folder on the PATH.");

    private static bool IsExecutable(string path) =>
        File.Exists(path) && (File.GetUnixFileMode(path) & AnyExecute) != 0;
}
