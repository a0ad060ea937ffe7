using System.Text.RegularExpressions;

namespace Piku.Server.Ssh.Authentication;

/// <summary>
/// A <c>command="…"</c>. One that sets variables and passes what was asked for on to a program, as
/// <c>FINGERPRINT=SHA256:… NAME=alice /home/x/program $SSH_ORIGINAL_COMMAND</c>, forces nothing where this server
/// takes that program's part, and such a line works as it stands. Any other runs instead of what was asked for.
/// </summary>
/// <param name="Name">Whose the key is by the variable NAME; null when it sets none.</param>
/// <param name="Line">The command line that runs whatever the client asks for; null when it may ask.</param>
internal sealed partial record ForcedCommand(string? Name, string? Line)
{
    public static readonly ForcedCommand None = new(null, null);

    /// <param name="command">The option's value; null without it.</param>
    /// <param name="passThrough">The file name of the program whose part this server takes; null when there is none such.</param>
    public static ForcedCommand Read(string? command, string? passThrough)
    {
        if (command is null)
            return None;
        var match = PassThrough().Match(command);
        return match.Success && passThrough is not null && Path.GetFileName(match.Groups["program"].Value) == passThrough
            ? new(match.Groups["name"] is { Success: true } name ? name.Value : null, null)
            : new(null, command);
    }

    [GeneratedRegex("""^(?:(?:NAME=(?<name>[^\s'"`$\\;&|<>()]+)|[A-Za-z_][A-Za-z0-9_]*=[^\s'"`$\\;&|<>()]*) )*(?<program>[^\s'"`$\\;&|<>()=]+) \$SSH_ORIGINAL_COMMAND$""", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex PassThrough();
}
