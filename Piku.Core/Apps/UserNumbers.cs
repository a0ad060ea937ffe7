using System.Globalization;
using Piku.Core.Machine;
using Piku.Core.Model;

namespace Piku.Core.Apps;

/// <summary>
/// Which number of those that the system has given somebody is which app's, in all installations that run as them: one
/// file in their home, a line each, <c>number home</c>. A number is free again when its home is gone, with the whole
/// installation; a destroyed app keeps its home.
/// </summary>
/// <param name="folder">Where the file is.</param>
public sealed class UserNumbers(string folder, TimeProvider clock)
{
    /// <summary>Nobody holds the lock for longer than it takes to write a line.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private string List => Path.Combine(folder, "app-users");

    /// <summary>Those of whoever runs this process.</summary>
    public static UserNumbers Of(UnixUser user, TimeProvider clock) => new(Path.Combine(user.Home, ".local", "state", "piku"), clock);

    /// <summary>Gives a home a number, for good: the one that it has, if no other home has it too.</summary>
    /// <param name="present">What it has now.</param>
    /// <param name="settle">Has the home be that user's. Done before anybody else gets a number: one without a home is free.</param>
    /// <exception cref="UserError">There are no more, or the list cannot be written.</exception>
    public async Task ClaimAsync(string home, Owner present, IdRange all, Func<Owner, Task> settle, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(Patience);
        try
        {
            using var held = await FileLock.AcquireAsync(List + ".lock", $"a number for {home}", clock, waiting: null, limit.Token);
            var claims = Read().Where(claim => claim.Home == home || Directory.Exists(claim.Home)).ToLookup(claim => claim.Home == home);
            var taken = claims[false].ToDictionary(claim => claim.Number, claim => claim.Home);
            uint[] known = [present.User, .. claims[true].Select(claim => claim.Number)];
            // The first stays free: whoever gives all numbers to somebody else later gives that one first.
            var number = known.FirstOrDefault(one => all.Contains(one) && !taken.ContainsKey(one)) is var own and not 0 ? own
                : Enumerable.Range(1, (int)all.Count - 1).Select(at => all.First + (uint)at).FirstOrDefault(free => !taken.ContainsKey(free));
            if (number == 0)
                throw new UserError($"all {all.Count - 1} users are given to apps, those of destroyed ones among them: remove the homes of apps that never come back, and their data.");
            taken[number] = home;
            AtomicFile.Write(List, string.Concat(taken.OrderBy(claim => claim.Key).Select(claim => $"{claim.Key} {claim.Value}\n")), AtomicFile.Secret);
            await settle(new(number, number));
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException || (refused is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            throw new UserError($"apps.users: the list of the apps' users, {List}, cannot be written: {refused.Message}", refused);
        }
    }

    private IEnumerable<(uint Number, string Home)> Read() =>
        from line in (AtomicFile.ReadIfExists(List) ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries)
        let parts = line.Split(' ', 2)
        where parts.Length == 2 && uint.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out _)
        group parts by parts[0] into same
        select (uint.Parse(same.Key, CultureInfo.InvariantCulture), same.First()[1]);
}
