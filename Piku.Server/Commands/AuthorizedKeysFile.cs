using Piku.Core.Machine;
using Piku.Core.Model;
using Piku.Server.Ssh.Authentication;

namespace Piku.Server.Commands;

/// <summary>Changes to <c>authorized_keys</c>: one atomic write, and every line that was there stays as it was.</summary>
internal static class AuthorizedKeysFile
{
    /// <summary>Lets the keys of a public key file in.</summary>
    /// <param name="path">The authorized_keys file; made if it is not there.</param>
    /// <param name="text">What ssh-keygen writes to <c>*.pub</c>; may have several lines.</param>
    /// <returns>Those that were not let in before.</returns>
    /// <exception cref="UserError">A line is no public key, or there is none.</exception>
    public static IReadOnlyList<AuthorizedKey> Add(string path, string text)
    {
        var offered = AuthorizedKeysText.Parse(text, passThrough: null);
        if (offered.Problems is [var problem, ..])
            throw new UserError($"that is not a public key (line {problem.Line}: {problem.Message}); give the content of a file such as ~/.ssh/id_ed25519.pub.");
        if (offered.Keys.Count == 0)
            throw new UserError("there is no public key in that; give the content of a file such as ~/.ssh/id_ed25519.pub.");
        if (offered.Keys.FirstOrDefault(key => key.Options.Command is not null) is { } forced)
            throw new UserError($"line {forced.Line} has a command= option; give the public key alone.");

        var present = AtomicFile.ReadIfExists(path) ?? "";
        var known = AuthorizedKeysText.Parse(present, passThrough: null).Keys.Select(key => key.Fingerprint).ToHashSet();
        var added = offered.Keys.Where(key => known.Add(key.Fingerprint)).ToList();
        if (added.Count == 0)
            return added;
        var lines = text.Split('\n');
        var separator = present.Length == 0 || present.EndsWith('\n') ? "" : "\n";
        AtomicFile.Write(path, present + separator + string.Concat(added.Select(key => lines[key.Line - 1].Trim() + "\n")), AtomicFile.Secret);
        return added;
    }
}
