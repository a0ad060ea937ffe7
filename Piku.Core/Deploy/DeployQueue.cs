using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Core.Deploy;

/// <summary>
/// The deploys of an installation, whichever process does them: one file each in <c>run/deploys</c>, named so that the
/// one that came first is first. See docs/decisions/0042-order-of-deploys.md.
/// </summary>
public sealed class DeployQueue(PikuPaths paths)
{
    private const string Request = ".cancel";

    /// <summary>How late somebody who waits may notice that it is their turn.</summary>
    internal static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);

    /// <summary>For a program to end that is asked, then killed, and the version before to be put back.</summary>
    private static readonly TimeSpan CancelLimit = TimeSpan.FromSeconds(60);

    private string Folder => Path.Combine(paths.Run, "deploys");

    /// <summary>All that are under way or wait, first come first.</summary>
    public IReadOnlyList<DeployNotice> All() => [.. Living().Select(living => living.Notice)];

    /// <summary>Ends the deploy of an app that is under way, or else the first that waits, and waits until all is put back.</summary>
    /// <returns>What was cancelled.</returns>
    /// <exception cref="UserError">There is none, or it was over before it could be cancelled.</exception>
    public async Task<DeployNotice> CancelAsync(AppName app, string by, CancellationToken cancel)
    {
        var ours = Living().Where(living => living.Notice.App == app.Value && living.Notice.Place is not DeployPlace.Settled).ToList();
        var (id, chosen) = ours.Find(living => living.Notice.Place is not DeployPlace.WaitsForApp) is { Id: not null } working ? working
            : ours is [var first, ..] ? first
            : throw new UserError($"no deploy of '{app}' is under way.");
        using var listener = Announcement.Listen(Path.Combine(Folder, id));
        if (listener is null)
            throw Over(chosen);
        AtomicFile.Write(Path.Combine(Folder, id + Request), by, AtomicFile.Secret);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(CancelLimit);
        try
        {
            while (listener.IsLiving && DeployNotice.Read(listener.Text())?.Place is not DeployPlace.Settled)
                await Task.Delay(Poll, limit.Token);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw new UserError($"the {chosen} is being cancelled and has not ended yet; 'deploys' shows it.");
        }
        finally
        {
            if (!listener.IsLiving)
                File.Delete(Path.Combine(Folder, id + Request));
        }
        return DeployNotice.Read(listener.Text()) is { CancelledBy: not null } last ? last : throw Over(chosen);
    }

    /// <summary>At the start of a daemon: forgets what killed processes have left.</summary>
    public void RemoveLeftovers() => Announcement.RemoveLeftovers(Folder);

    internal (string Id, Announcement Announcement) Announce(DeployNotice notice)
    {
        var id = $"{notice.Since.ToUnixTimeMilliseconds():D14}-{Guid.NewGuid():N}";
        return (id, Announcement.Make(Path.Combine(Folder, id), notice.Write()));
    }

    internal IEnumerable<(string Id, DeployNotice Notice)> Living()
    {
        foreach (var path in Files())
        {
            using var listener = path.EndsWith(AtomicFile.TemporarySuffix, StringComparison.Ordinal) ? null : Announcement.Listen(path);
            if (listener is { IsLiving: true } && DeployNotice.Read(listener.Text()) is { } notice)
                yield return (Path.GetFileName(path), notice);
        }
    }

    private string[] Files() => Directory.Exists(Folder) ? [.. Directory.GetFiles(Folder).Order(StringComparer.Ordinal)] : [];

    /// <summary>Who wants this deploy to end; null when nobody does.</summary>
    internal string? CancelRequest(string id) => AtomicFile.ReadIfExists(Path.Combine(Folder, id + Request));

    internal void Forget(string id) => File.Delete(Path.Combine(Folder, id + Request));

    private static UserError Over(DeployNotice deploy) => new($"the {deploy} was over before it could be cancelled.");
}
