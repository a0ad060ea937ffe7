using Piku.Core.Machine;
using Piku.Core.Model;
using Piku.Server.Ssh.Authentication;

namespace Piku.Server.Commands;

/// <summary>What has become of keys that somebody wants authorized.</summary>
/// <param name="Added">Those that were not authorized before.</param>
/// <param name="Known">The lines of those that were.</param>
/// <param name="Removed">Those that were removed once, and stay so.</param>
internal sealed record OfferedKeys(IReadOnlyList<AuthorizedKey> Added, IReadOnlyList<AuthorizedKey> Known, IReadOnlyList<AuthorizedKey> Removed);

/// <summary>
/// Changes to <c>authorized_keys</c>: one at a time, in one atomic write, and every line that was there stays as it
/// was, comments and lines that mean nothing to us included.
/// </summary>
internal sealed class AuthorizedKeysFile(PikuPaths paths)
{
    private const string WhatToGive = "give the content of a file such as ~/.ssh/id_ed25519.pub.";

    /// <summary>Fingerprints remembered of removed keys.</summary>
    private const int MostRemoved = 10_000;

    /// <summary>How long another change may take.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>The file as the SSH server understands it.</summary>
    /// <exception cref="UserError">Others could have written what is in it.</exception>
    public AuthorizedKeysText Read() => Parse(ReadText());

    /// <summary>The lines of the file as they stand; <see cref="AuthorizedKey.Line"/> counts them from 1.</summary>
    /// <exception cref="UserError">Others could have written what is in it.</exception>
    public string[] Lines() => ReadText().Split('\n');

    /// <summary>The fingerprints of keys that were removed, and that a start of the daemon does not bring back; one a line.</summary>
    private string RemovedFile => Path.Combine(paths.State, "_removed_keys");

    /// <summary>Authorizes the keys of a public key file, with the options that stand before them.</summary>
    /// <param name="text">What ssh-keygen writes to <c>*.pub</c>; may have several lines.</param>
    /// <exception cref="UserError">A line is no public key, or there is none.</exception>
    public Task<OfferedKeys> AddAsync(string text, CancellationToken cancel) => AddAsync(text, alsoRemoved: true, cancel);

    /// <summary>The same for a key that is offered at each start of the daemon: one that somebody has removed stays removed.</summary>
    /// <inheritdoc cref="AddAsync(string, CancellationToken)"/>
    public Task<OfferedKeys> AddAtStartAsync(string text, CancellationToken cancel) => AddAsync(text, alsoRemoved: false, cancel);

    private async Task<OfferedKeys> AddAsync(string text, bool alsoRemoved, CancellationToken cancel)
    {
        var offered = Offered(text);
        using var held = await LockAsync(cancel);
        var present = ReadText();
        var known = Parse(present).Keys.ToLookup(key => key.Fingerprint);
        var removed = alsoRemoved ? [] : Removed();
        var wanted = offered.DistinctBy(key => key.Fingerprint).Where(key => !known.Contains(key.Fingerprint)).ToLookup(key => removed.Contains(key.Fingerprint));
        var added = wanted[false].ToList();
        var lines = text.Split('\n');
        if (added.Count > 0)
            Write(WithLines(present, added.Select(key => lines[key.Line - 1].Trim())));
        Forget(added);
        return new(added, [.. offered.SelectMany(key => known[key.Fingerprint])], [.. wanted[true]]);
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
            throw new UserError($"this key is already authorized as '{Printable.Text(known.Name)}': remove it first, with 'keys:remove {known.Fingerprint}'.");
        if (Parse(present).Keys.Any(other => other.Name == name))
            throw new UserError($"another key has the name '{name}' already: choose another one such as '{name}-laptop', or remove that key first, with 'keys:remove {name}'.");
        var line = $"{OptionsOf(rights)}{key.Type.Name} {Convert.ToBase64String(key.PublicKey.Span)} {name}";
        Write(WithLines(present, [line]));
        Forget([key]);
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
        WriteRemoved(Removed().Union(chosen.Select(key => key.Fingerprint)));
        return chosen;
    }

    private HashSet<string> Removed() => [.. (AtomicFile.ReadIfExists(RemovedFile) ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries)];

    /// <summary>Somebody wants these again.</summary>
    private void Forget(IReadOnlyList<AuthorizedKey> keys)
    {
        var removed = Removed();
        if (removed.Overlaps(keys.Select(key => key.Fingerprint)))
            WriteRemoved(removed.Except(keys.Select(key => key.Fingerprint)));
    }

    private void WriteRemoved(IEnumerable<string> fingerprints)
    {
        Directory.CreateDirectory(paths.State);
        AtomicFile.Write(RemovedFile, string.Concat(fingerprints.TakeLast(MostRemoved).Select(fingerprint => fingerprint + "\n")), AtomicFile.Secret);
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
