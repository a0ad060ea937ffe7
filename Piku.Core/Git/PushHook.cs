using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.IO.Pipelines;
using System.Security.Cryptography;
using System.Text;
using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Core.Git;

/// <summary>
/// Where a push waits for its deploy. git receive-pack runs our pre-receive hook while the new objects are in
/// quarantine and the refs have not moved; the hook hands the refs to the daemon through one named pipe, shows
/// what comes back through another, and lets the refs move only if the daemon wrote status 0.
/// See githooks(5), git-receive-pack(1) "Quarantine environment", and docs/decisions/0001-refs-move-last.md.
/// </summary>
public sealed class PushHook : IDisposable
{
    /// <summary>Refs in one push; more is no deploy, and the bound keeps a push from filling our memory.</summary>
    private const int MaxLines = 100_000;

    /// <summary>Bytes of one line: a ref with its two commits, or an option; git's own packets have 64 KiB (gitprotocol-common(5)).</summary>
    private const int MaxLine = 1 << 20;

    /// <summary>Characters of all lines.</summary>
    private const long MaxTotal = 64 << 20;

    private static readonly string[] Pipes = ["ask", "answer"];

    /// <summary>The answers that there are. Both are written before the deploy, so that a full disk cannot swallow one.</summary>
    private static readonly int[] Statuses = [0, 1];

    private const string Script = """
        #!/bin/sh
        # Waits for the deploy of this push and decides whether its refs may move.
        # PIKU_PUSH is the folder where the daemon waits. The answer is opened first, so that no word is lost.
        exec 4< "$PIKU_PUSH/answer" || exit 1
        option=0
        {
            while [ "$option" -lt "${GIT_PUSH_OPTION_COUNT:-0}" ]; do
                eval "printf '%s' \"\$GIT_PUSH_OPTION_$option\"" | tr '\n' ' ' | sed 's/^/option /'
                echo
                option=$((option + 1))
            done
            printf 'objects %s\n' "$GIT_OBJECT_DIRECTORY"
            printf 'alternates %s\n' "$GIT_ALTERNATE_OBJECT_DIRECTORIES"
            cat
            echo end
        } > "$PIKU_PUSH/ask"
        cat <&4
        read -r status < "$PIKU_PUSH/status" && exit "$status"
        echo "The server stopped before the deploy was done; nothing has changed. Push again." >&2
        exit 1

        """;

    private readonly string _folder;
    private readonly Owner _user;
    private readonly Fifo _ask;
    private readonly Fifo _answer;
    private bool _isFinished;

    private PushHook(string folder, Owner user)
    {
        (_folder, _user) = (folder, user);
        foreach (var status in Statuses)
            AtomicFile.Write(Prepared(status), status.ToString(CultureInfo.InvariantCulture) + "\n", AtomicFile.Secret);
        _ask = Fifo.CreateForReading(Path.Combine(folder, Pipes[0]));
        _answer = Fifo.CreateForWriting(Path.Combine(folder, Pipes[1]));
    }

    /// <summary>What the hook needs to find us.</summary>
    public KeyValuePair<string, string> Variable => new("PIKU_PUSH", _folder);

    /// <summary>What the pusher reads as <c>remote: …</c> lines.</summary>
    public Stream Answer => _answer.Stream;

    /// <summary>Installs the hook of this version. Pushes that are under way do not notice.</summary>
    public static void Install(PikuPaths paths)
    {
        Directory.CreateDirectory(HooksFolder(paths));
        AtomicFile.Write(Path.Combine(HooksFolder(paths), "pre-receive"), Script, AtomicFile.Executable);
    }

    /// <summary>Frees what a daemon that was killed left waiting. Once, at the start of a daemon: later it would be pushes that are under way.</summary>
    public static void RemoveLeftovers(PikuPaths paths)
    {
        if (!Directory.Exists(Meetings(paths)))
            return;
        foreach (var left in Directory.EnumerateDirectories(Meetings(paths)))
        {
            try
            {
                Owner.Of(left).Do(() =>
                {
                    foreach (var pipe in Pipes.Select(name => Path.Combine(left, name)).Where(File.Exists))
                        Fifo.Release(pipe);
                });
                WholeFolder.Remove(left);
            }
            catch (Exception stuck) when (stuck is IOException or UnauthorizedAccessException)
            {
                // The app that was pushed has changed something there; it keeps nobody from starting.
            }
        }
    }

    /// <summary>The value of <c>core.hooksPath</c> (git-config(1)) for a push that deploys.</summary>
    public static string HooksFolder(PikuPaths paths) => Path.Combine(paths.Run, "hooks");

    /// <param name="user">Whom git runs as, and with it the hook.</param>
    public static PushHook Open(PikuPaths paths, Owner user)
    {
        var folder = Path.Combine(Meetings(paths), Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8)));
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        try
        {
            user.Take(folder);
            return user.Do(() => new PushHook(folder, user));
        }
        catch
        {
            WholeFolder.Remove(folder);
            throw;
        }
    }

    /// <summary>Waits until the hook tells what the push wants; this is after the last object has arrived.</summary>
    /// <exception cref="UserError">More refs than anyone needs.</exception>
    public async Task<PushRequest> ReadAsync(CancellationToken cancel)
    {
        var reader = PipeReader.Create(_ask.Stream, new(leaveOpen: true));
        var (objects, alternates) = ("", "");
        var updates = ImmutableArray.CreateBuilder<RefUpdate>();
        var options = ImmutableArray.CreateBuilder<string>();
        var total = 0L;
        while (await ReadLineAsync(reader, cancel) is { } line && line != "end")
        {
            total += line.Length;
            if (line.StartsWith("objects ", StringComparison.Ordinal))
                objects = line["objects ".Length..];
            else if (line.StartsWith("alternates ", StringComparison.Ordinal))
                alternates = line["alternates ".Length..];
            else if (line.StartsWith("option ", StringComparison.Ordinal))
                options.Add(line["option ".Length..]);
            else if (RefUpdate.TryParse(line, out var update))
                updates.Add(update);
            if (updates.Count + options.Count > MaxLines || total > MaxTotal)
                throw new UserError($"This push has more than {MaxLines} refs; push fewer at once.");
        }
        var tags = updates.Where(update => update.Tag is not null);
        return new(updates.ToImmutable(), Quarantine.From(objects, alternates) with { Tags = [.. tags] }) { Options = options.ToImmutable() };
    }

    /// <exception cref="UserError">A line is longer than any can be: whoever else runs as the hook's user may write there too.</exception>
    private static async Task<string?> ReadLineAsync(PipeReader reader, CancellationToken cancel)
    {
        while (true)
        {
            var read = await reader.ReadAsync(cancel);
            if (read.Buffer.PositionOf((byte)'\n') is { } end)
            {
                var line = Encoding.UTF8.GetString(read.Buffer.Slice(0, end));
                reader.AdvanceTo(read.Buffer.GetPosition(1, end));
                return line;
            }
            if (read.Buffer.Length > MaxLine)
                throw new UserError($"A line of this push is longer than {MaxLine >> 10} KiB.");
            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            if (read.IsCompleted)
                return null;
        }
    }

    /// <summary>Ends the hook: the refs move if, and only if, the status is 0. The first answer stands.</summary>
    public void Finish(int status)
    {
        if (_isFinished)
            return;
        _isFinished = true;
        _user.Do(() => File.Move(Prepared(status), Path.Combine(_folder, "status")));
        _answer.Dispose();
    }

    public void Dispose()
    {
        _ask.Dispose();
        _answer.Dispose();
        WholeFolder.Remove(_folder);
    }

    private string Prepared(int status) => Path.Combine(_folder, $"status.{status}");

    internal static string Meetings(PikuPaths paths) => Path.Combine(paths.Run, "push");
}

/// <summary>What one push wants, and where its objects wait.</summary>
public sealed record PushRequest(ImmutableArray<RefUpdate> Updates, Quarantine Quarantine)
{
    /// <summary>What <c>git push -o</c> said, each as given.</summary>
    public ImmutableArray<string> Options { get; init; } = [];
}

/// <summary>
/// Folders with objects that a repository does not have yet, as git names them to a hook
/// (GIT_OBJECT_DIRECTORY, GIT_ALTERNATE_OBJECT_DIRECTORIES).
/// </summary>
public sealed record Quarantine(string Folders)
{
    public static readonly Quarantine None = new("");

    /// <summary>Tags that come, change or go with the same push.</summary>
    public ImmutableArray<RefUpdate> Tags { get; init; } = [];

    /// <summary>The environment in which git also looks there.</summary>
    public EnvMap AddTo(EnvMap environment) =>
        Folders.Length == 0 ? environment : environment.With("GIT_ALTERNATE_OBJECT_DIRECTORIES", Folders);

    /// <summary>With one more folder.</summary>
    public Quarantine And(string objects) => From(Folders, objects) with { Tags = Tags };

    public static Quarantine From(string objects, string alternates) =>
        new(string.Join(':', new[] { objects, alternates }.Where(text => text.Length > 0)));
}
