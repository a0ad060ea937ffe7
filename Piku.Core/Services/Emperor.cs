using System.Globalization;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Piku.Core.Formats;
using Piku.Core.Machine;
using Piku.Core.Model;
using Piku.Core.Workers;

namespace Piku.Core.Services;

/// <summary>
/// The uWSGI emperor of an installation, whoever runs it: puts vassals before it, has it look at once, and tells how
/// they fare. Works from any process of the installation's user.
/// </summary>
/// <remarks>
/// A connection to the stats socket wakes the emperor, and after each wake-up it scans its folder (core/emperor.c,
/// emperor_loop). So asking how things stand is also telling it that something has changed; see docs/decisions.
/// </remarks>
public sealed partial class Emperor(PikuPaths paths, TimeProvider clock)
{
    /// <summary>An emperor that does not answer within this time is none.</summary>
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(5);

    /// <summary>0640.</summary>
    private const UnixFileMode ReadByGroup = AtomicFile.Secret | UnixFileMode.GroupRead;

    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(200);

    private readonly EmperorFiles _files = new(paths);

    /// <summary>
    /// Writes a vassal's file, mode 0600. The emperor compares modification times, in whole seconds, and only for
    /// later: each version gets a second of its own, if need be one that has not come yet.
    /// </summary>
    /// <param name="user">Whom it runs as; they can read the file, and change nothing.</param>
    /// <param name="mark">What it carries from its start on, and after each reload.</param>
    public InstalledVassal Install(Vassal vassal, Owner? user = null, ProcessMark? mark = null)
    {
        Directory.CreateDirectory(_files.Tokens);
        if (user is { IsOther: true } other)
            GiveToken(_files.Token(vassal.Name), other);
        WriteLimits(vassal);
        var token = RandomNumberGenerator.GetHexString(16, lowercase: true);
        // Of the hooks, only these run once the app is loaded, in the process that has loaded it.
        var hook = vassal.Readiness is Readiness.Accepting ? "hook-accepting1" : "hook-master-start";
        var announce = UwsgiSetting.Text(hook, $"write:{_files.Token(vassal.Name)} {token}");
        return new(vassal, token, Reinstall(vassal.Name, UwsgiIni.Write([.. Marking(mark), .. vassal.Settings, .. Loyalty(vassal), announce]), user));
    }

    /// <summary>The mark in a vassal's file; null for a file without.</summary>
    public static ProcessMark? MarkIn(string ini) =>
        MarkLine().Match(ini) is { Success: true } line ? new(ulong.Parse(line.Groups["mark"].Value, CultureInfo.InvariantCulture)) : null;

    /// <summary>The soft limit, which the next version of a vassal that is reloaded may change. prlimit(1) is of util-linux.</summary>
    private static IEnumerable<UwsgiSetting> Marking(ProcessMark? mark) =>
        mark is { Number: var number } ? [UwsgiSetting.Text("hook-asap", $"exec:prlimit --pid=$PPID --locks={number}: || true")] : [];

    /// <summary>
    /// Tells the emperor that the vassal is a good one (byte 17; core/emperor.c, emperor_loop), as uWSGI does after the first
    /// request that it serves. Commands and cron serve none; the emperor would count each of their stops as a failure, and let
    /// their successor wait. Of the shells, bash knows descriptors above 9; without it, there is the wait. It comes before the
    /// token, after which a child that is not uWSGI is the command.
    /// </summary>
    private static IEnumerable<UwsgiSetting> Loyalty(Vassal vassal) => vassal.Settings.Any(setting => setting.Option is "attach-daemon" or "cron")
        ? [UwsgiSetting.Text("hook-master-start", @"exec:bash -c 'printf ""\021"" >&$UWSGI_EMPEROR_FD' || true")]
        : [];

    private void WriteLimits(Vassal vassal)
    {
        if (vassal.LimitScript is not { } script)
        {
            AtomicFile.Delete(_files.LimitScript(vassal.Name));
            return;
        }
        Directory.CreateDirectory(_files.Limits);
        AtomicFile.Write(_files.LimitScript(vassal.Name), script, AtomicFile.Secret);
    }

    /// <summary>uWSGI writes into a file that is there: the folder is ours, so that no link can stand in its place.</summary>
    private static void GiveToken(string file, Owner user)
    {
        if (Owner.Of(file) != user)
            AtomicFile.Write(file, "", AtomicFile.Secret);
        user.Take(file);
    }

    /// <summary>Writes a vassal's file; the emperor takes it for a new version, whose environment is that of the file and no more.</summary>
    /// <returns>The file's modification time, whole seconds since 1970.</returns>
    public long Reinstall(string vassal, string ini, Owner? user = null)
    {
        var path = _files.Ini(vassal);
        var modified = Math.Max(
            clock.GetUtcNow().ToUnixTimeSeconds(),
            File.Exists(path) ? new DateTimeOffset(File.GetLastWriteTimeUtc(path)).ToUnixTimeSeconds() + 1 : 0);
        var before = AtomicFile.ReadIfExists(path);
        var reader = user is { IsOther: true } ? user : null;
        AtomicFile.Write(
            path, Limits.Lifted(before, UwsgiIni.Replacing(before, ini)), reader is null ? AtomicFile.Secret : ReadByGroup,
            DateTimeOffset.FromUnixTimeSeconds(modified), reader);
        return modified;
    }

    /// <summary>Takes a vassal's file away; the emperor then stops it. False when there was none.</summary>
    public bool Remove(string vassal)
    {
        AtomicFile.Delete(_files.Token(vassal));
        AtomicFile.Delete(_files.LimitScript(vassal));
        return AtomicFile.Delete(_files.Ini(vassal));
    }

    /// <summary>How things stand, or null when no emperor answers. The emperor scans its folder right after.</summary>
    public async Task<EmperorStatus?> StatusAsync(CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(AnswerTimeout);
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(_files.Socket), timeout.Token);
            await using var stream = new NetworkStream(socket);
            using var answer = new MemoryStream();
            await stream.CopyToAsync(answer, timeout.Token);
            return answer.Length == 0 ? null : EmperorStatus.Parse(answer.GetBuffer().AsMemory(0, (int)answer.Length));
        }
        catch (Exception silent) when (silent is SocketException or IOException
            || (silent is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return null;
        }
    }

    /// <summary>Returns when the emperor has seen the folder as it is now; false when no emperor answers.</summary>
    public async Task<bool> TellAsync(CancellationToken cancellationToken) =>
        // The second answer comes from the turn after the scan.
        await StatusAsync(cancellationToken) is not null && await StatusAsync(cancellationToken) is not null;

    /// <summary>
    /// Waits until every one of these versions is up, or one has failed, or the time is over; tells the emperor first.
    /// </summary>
    /// <returns>Those that did not come up; none when all is well.</returns>
    public async Task<IReadOnlyList<VassalFailure>> WaitUntilReadyAsync(
        IReadOnlyList<InstalledVassal> vassals, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var watches = vassals.Select(vassal => new VassalWatch(vassal, _files.Token(vassal.Name), clock)).ToList();
        var start = clock.GetTimestamp();
        while (true)
        {
            var status = await StatusAsync(cancellationToken);
            foreach (var watch in watches)
                await watch.LookAsync(status, cancellationToken);
            var elapsed = clock.GetElapsedTime(start);
            if (watches.All(watch => watch.IsReady))
                return [];
            if (watches.Any(watch => watch.Failure is not null))
                return [.. watches.Select(watch => watch.Failure).OfType<VassalFailure>()];
            if (elapsed >= timeout)
                return [.. watches.Where(watch => !watch.IsReady).Select(watch => watch.TimedOut(status is not null, timeout))];
            await Task.Delay(PauseAfter(elapsed), clock, cancellationToken);
        }
    }

    /// <summary>Every look costs the emperor a scan: often while an answer is near, less often later.</summary>
    internal static TimeSpan PauseAfter(TimeSpan elapsed) =>
        TimeSpan.FromTicks(Math.Clamp(elapsed.Ticks / 20, ShortestPause.Ticks, LongestPause.Ticks));

    [GeneratedRegex(@"^hook-asap = exec:prlimit --pid=\$PPID --locks=(?<mark>\d+):", RegexOptions.Multiline)]
    private static partial Regex MarkLine();
}
