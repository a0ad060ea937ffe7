using Piku.Core.Model;
using Piku.Server.Ssh.Authentication;

namespace Piku.Server.Commands;

/// <summary>What piku makes of a line of authorized_keys, for the SSH server, which knows nothing of it.</summary>
internal sealed class KeyRules(PikuPaths paths)
{
    /// <summary>The program that upstream's lines run; its NAME= is a key's name to us too.</summary>
    public const string UpstreamProgram = "piku.py";

    /// <summary>A forced command must be one of ours, and the rights must be readable.</summary>
    /// <exception cref="FormatException">The line cannot be honoured.</exception>
    public void Check(AuthorizedKey key)
    {
        if (key.ForcedCommand is { } command && !IsOurs(CommandLine.Parse(command)))
            throw new FormatException("the option 'command': only a command of piku's can be run");
        Rights.Of(key.Options);
    }

    private bool IsOurs(CommandLine line) => line.Problem is null && VerbTable.Find(paths, line.Verb) is not null;
}
