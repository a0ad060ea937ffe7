using System.Text.RegularExpressions;

namespace Piku.Server.Ssh.Authentication;

/// <summary>
/// A <c>command="…"</c> that forces nothing: it sets variables and passes what was asked for on to a program, as
/// <c>FINGERPRINT=SHA256:… NAME=alice /home/x/program $SSH_ORIGINAL_COMMAND</c>. Such a line works as it stands
/// where this server takes that program's part.
/// </summary>
internal static partial class ForcedCommand
{
    /// <summary>The value of NAME; null when the command sets none.</summary>
    /// <param name="passThrough">The file name of the program; null when there is none such.</param>
    /// <exception cref="FormatException">The command is any other, which cannot be honoured.</exception>
    public static string? NameOf(string command, string? passThrough)
    {
        var match = PassThrough().Match(command);
        if (!match.Success || passThrough is null || Path.GetFileName(match.Groups["program"].Value) != passThrough)
            throw new FormatException("a forced command is not supported");
        return match.Groups["name"] is { Success: true } name ? name.Value : null;
    }

    [GeneratedRegex("""^(?:(?:NAME=(?<name>[^\s'"`$\\;&|<>()]+)|[A-Za-z_][A-Za-z0-9_]*=[^\s'"`$\\;&|<>()]*) )*(?<program>[^\s'"`$\\;&|<>()=]+) \$SSH_ORIGINAL_COMMAND$""", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex PassThrough();
}
