using Piku.Core.Model;
using Piku.Server.Ssh.Authentication;

namespace Piku.Server.Commands;

/// <summary>What piku makes of a line of authorized_keys, for the SSH server, which knows nothing of it.</summary>
internal sealed class KeyRules(PikuPaths paths)
{
    /// <summary>The program that upstream's lines run; its NAME= is a key's name to us too.</summary>
    public const string UpstreamProgram = "piku.py";

    private const string OurVariables = "PIKU_";

    /// <summary>A forced command must be one of ours, and the rights must be readable, in the place where they count.</summary>
    /// <exception cref="FormatException">The line cannot be honoured.</exception>
    public void Check(AuthorizedKey key)
    {
        // What was to limit a key must not leave it without limit, because of a typing error.
        if (key.Options.Environment.Keys.FirstOrDefault(IsUnknown) is { } unknown)
            throw new FormatException($"the option 'environment': there is no {unknown}, only {Rights.RoleVariable} and {Rights.AppsVariable}");
        if (key is { ForcedCommand: null, Options.Command: { } passedOn } && passedOn.Contains(OurVariables, StringComparison.OrdinalIgnoreCase))
            throw new FormatException($"the option 'command': rights stand in environment=\"{Rights.RoleVariable}=…\"");
        if (key.ForcedCommand is { } command && !IsOurs(CommandLine.Parse(command)))
            throw new FormatException("the option 'command': only a command of piku's can be run");
        Rights.Of(key.Options);
    }

    private static bool IsUnknown(string variable) =>
        variable.StartsWith(OurVariables, StringComparison.OrdinalIgnoreCase) && variable is not (Rights.RoleVariable or Rights.AppsVariable);

    private bool IsOurs(CommandLine line) => line.Problem is null && VerbTable.Find(paths, line.Verb) is not null;
}
