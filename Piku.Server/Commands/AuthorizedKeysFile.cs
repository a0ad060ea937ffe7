using Piku.Core.Machine;
using Piku.Core.Model;
using Piku.Server.Ssh.Authentication;

namespace Piku.Server.Commands;

/// <summary>
/// Changes to <c>authorized_keys</c>: one at a time, in one atomic write, and every line that was there stays as it
/// was, comments and lines that mean nothing to us included.
/// </summary>
internal sealed class AuthorizedKeysFile(PikuPaths paths)
{
    private const string WhatToGive = "give the content of a file such as ~/.ssh/id_ed25519.pub.";

    /// <summary>How long another change may take.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>The file as the SSH server understands it.</summary>
    /// <exception cref="UserError">Others could have written what is in it.</exception>
    public AuthorizedKeysText Read() => Parse(ReadText());

    /// <summary>The lines of the file as they stand; <see cref="AuthorizedKey.Line"/> counts them from 1.</summary>
    /// <exception cref="UserError">Others could have written what is in it.</exception>
    public string[] Lines() => ReadText().Split('\n');

    /// <summary>Lets the keys of a public key file in, with the options that stand before them.</summary>
    /// <param name="text">What ssh-keygen writes to <c>*.pub</c>; may have several lines.</param>
    /// <returns>Those that were not let in before.</returns>
    /// <exception cref="UserError">A line is no public key, or there is none.</exception>
    public async Task<IReadOnlyList<AuthorizedKey>> AddAsync(string text, CancellationToken cancel)
    {
        var offered = Offered(text);
        using var held = await LockAsync(cancel);
        var present = ReadText();
        var known = Parse(present).Keys.Select(key => key.Fingerprint).ToHashSet();
        var added = offered.Where(key => known.Add(key.Fingerprint)).ToList();
        var lines = text.Split('\n');
        if (added.Count > 0)
            Write(WithLines(present, added.Select(key => lines[key.Line - 1].Trim())));
        return added;
    }

    /// <summary>Lets one key in under a name, with these rights.</summary>
    /// <param name="text">One line, as in a <c>*.pub</c> file; its comment gives way to the name.</param>
    /// <exception cref="UserError">It is no public key, or one that is let in already.</exception>
    public async Task<AuthorizedKey> AddAsync(string name, Rights rights, string text, CancellationToken cancel)
    {
        if (Offered(text) is not [var key])
            throw new UserError($"there is more than one public key in that; add them one by one.");
        if (key.Options != KeyOptions.None)
            throw new UserError($"there are options before the key; {WhatToGive}");
        using var held = await LockAsync(cancel);
        var present = ReadText();
        if (Parse(present).Keys.FirstOrDefault(known => known.Fingerprint == key.Fingerprint) is { } known)
            throw new UserError($"that key is let in already, as '{Printable.Text(known.Name)}': remove it first, with 'keys:remove {known.Fingerprint}'.");
        var line = $"{OptionsOf(rights)}{key.Type.Name} {Convert.ToBase64String(key.PublicKey.Span)} {name}";
        Write(WithLines(present, [line]));
        return Parse(line).Keys[0];
    }

    /// <summary>Takes out the lines of keys.</summary>
    /// <param name="choose">Says which, of all that are there.</param>
    public async Task<IReadOnlyList<AuthorizedKey>> RemoveAsync(
        Func<IReadOnlyList<AuthorizedKey>, IReadOnlyList<AuthorizedKey>> choose, CancellationToken cancel)
    {
        using var held = await LockAsync(cancel);
        var present = ReadText();
        var chosen = choose(Parse(present).Keys);
        var numbers = chosen.Select(key => key.Line).ToHashSet();
        Write(string.Join('\n', present.Split('\n').Where((_, index) => !numbers.Contains(index + 1))));
        return chosen;
    }

    private AuthorizedKeysText Parse(string text) =>
        AuthorizedKeysText.Parse(text, KeyRules.UpstreamProgram, new KeyRules(paths).Check);

    private IReadOnlyList<AuthorizedKey> Offered(string text)
    {
        var offered = Parse(text);
        if (offered.Problems is [var problem, ..])
            throw new UserError($"that is not a public key (line {problem.Line}: {problem.Message}); {WhatToGive}");
        return offered.Keys.Count > 0 ? offered.Keys : throw new UserError($"there is no public key in that; {WhatToGive}");
    }

    private static string OptionsOf(Rights rights)
    {
        var variables = new List<string>();
        if (rights.Role is not Role.Admin)
            variables.Add($"environment=\"{Rights.RoleVariable}={Rights.Name(rights.Role)}\"");
        if (!rights.Apps.IsEmpty)
            variables.Add($"environment=\"{Rights.AppsVariable}={string.Join(' ', rights.Apps)}\"");
        return variables.Count == 0 ? "" : string.Join(',', variables) + " ";
    }

    private static string WithLines(string present, IEnumerable<string> lines) =>
        present + (present.Length == 0 || present.EndsWith('\n') ? "" : "\n") + string.Concat(lines.Select(line => line + "\n"));

    private string ReadText() => StrictModes.Objection(paths.AuthorizedKeys) is { } objection
        ? throw new UserError($"authorized_keys is not safe: {objection}.")
        : AtomicFile.ReadIfExists(paths.AuthorizedKeys) ?? "";

    private void Write(string text) => AtomicFile.Write(paths.AuthorizedKeys, text, AtomicFile.Secret);

    private async Task<FileLock> LockAsync(CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(Patience);
        try
        {
            return await FileLock.AcquireAsync(Path.Combine(paths.Run, "keys.lock"), "keys", TimeProvider.System, null, limit.Token);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw new UserError("somebody else is changing the keys: try again.");
        }
    }
}
