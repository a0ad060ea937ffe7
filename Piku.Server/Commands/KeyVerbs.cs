using System.Collections.Immutable;
using System.Globalization;
using Piku.Core.Model;
using Piku.Server.Ssh.Authentication;

namespace Piku.Server.Commands;

/// <summary>Who may log in: keys, keys:add, keys:remove, keys:show.</summary>
internal static class KeyVerbs
{
    private const int LongestName = 64;

    public static async Task<int> ListAsync(CommandCall call, CancellationToken cancel)
    {
        var text = FileOf(call).Read();
        var uses = new KeyUses(call.Piku.Paths, call.Piku.Clock).Read();
        string[][] rows = [["NAME", "ROLE", "APPS", "LAST USED", "FINGERPRINT"], .. text.Keys.Select(key => Row(key, uses))];
        foreach (var line in Columns.Align(rows))
            await call.SayAsync(line, cancel);
        foreach (var problem in text.Problems)
            await call.Streams.Error.LineAsync($"Warning: line {problem.Line} is ignored: {problem.Message}.", cancel);
        return 0;
    }

    public static async Task<int> AddAsync(CommandCall call, CancellationToken cancel)
    {
        var name = NameFrom(call.Arguments[0]);
        var rights = RightsFrom(call);
        var key = await FileOf(call).AddAsync(name, rights, await SetupVerbs.ReadKeyAsync(call.Streams.Input, cancel), cancel);
        await call.SayAsync($"Added the key '{name}' ({key.Fingerprint}): {Rights.Name(rights.Role)} of {AppsOf(rights)}.", cancel);
        if (call.Option("--role") is null)
            await call.SayAsync($"Without --role a key is an admin's{(rights.Apps.IsEmpty ? ", who may do everything" : "")}. For less: 'keys:remove {name}', then add it with --role deployer or --role reader.", cancel);
        return 0;
    }

    public static async Task<int> RemoveAsync(CommandCall call, CancellationToken cancel)
    {
        List<AuthorizedKey> named = [];
        var removed = await FileOf(call).RemoveAsync(
            keys =>
            {
                named = Named(keys, call.Arguments[0]);
                // A key is out when no line has it.
                var chosen = keys.Where(key => key.Fingerprint == named[0].Fingerprint).ToList();
                if (call.Option("--force") is null)
                    RefuseLockout(call.Caller, chosen, [.. keys.Except(chosen)]);
                return chosen;
            },
            cancel);
        foreach (var key in removed)
            await call.SayAsync($"Removed the key '{Printable.Text(key.Name)}' ({key.Fingerprint}){(named.Contains(key) ? "" : ", which is the same key under another name")}.", cancel);
        return 0;
    }

    /// <exception cref="UserError">Somebody would lock themselves, or everybody, out.</exception>
    private static void RefuseLockout(Caller caller, List<AuthorizedKey> chosen, IReadOnlyList<AuthorizedKey> others)
    {
        if (chosen.Any(IsLastingAdmin) && !others.Any(IsLastingAdmin))
            throw new UserError("this is the last admin key: without it nobody can add another. Add one first, or say --force.");
        if (chosen.Any(key => key.Fingerprint == caller.Fingerprint))
            throw new UserError("you are logged in with this key, and could not log in with it again. Say --force to remove it all the same.");
    }

    /// <summary>The lines of one key, as its name or fingerprint says.</summary>
    /// <exception cref="UserError">There is none, or there are several.</exception>
    private static List<AuthorizedKey> Named(IReadOnlyList<AuthorizedKey> keys, string name)
    {
        var named = Chosen(keys, name);
        return named.DistinctBy(key => key.Fingerprint).Count() == 1 ? named
            : throw new UserError($"{named.Count} keys have the name '{Printable.Text(name)}': give the fingerprint of the one to remove, {string.Join(" or ", named.Select(key => key.Fingerprint).Distinct())}.");
    }

    public static async Task<int> ShowAsync(CommandCall call, CancellationToken cancel)
    {
        var file = FileOf(call);
        var uses = new KeyUses(call.Piku.Paths, call.Piku.Clock).Read();
        foreach (var key in Chosen(file.Read().Keys, call.Arguments[0]))
        {
            var rights = Rights.Of(key.Options);
            (string Label, string Value)[] facts =
            [
                ("Name", Printable.Text(key.Name)),
                ("Fingerprint", key.Fingerprint),
                ("Role", Rights.Name(rights.Role)),
                ("Apps", AppsOf(rights)),
                ("Last used", UseOf(key, uses)),
                ("Line", $"{key.Line} of {call.Piku.Paths.AuthorizedKeys}"),
            ];
            foreach (var (label, value) in facts)
                await call.SayAsync(label.PadRight(13) + value, cancel);
            await call.SayAsync(file.Lines()[key.Line - 1].Trim(), cancel);
        }
        return 0;
    }

    private static AuthorizedKeysFile FileOf(CommandCall call) => new(call.Piku.Paths);

    private static string[] Row(AuthorizedKey key, ImmutableDictionary<string, KeyUse> uses)
    {
        var rights = Rights.Of(key.Options);
        return [Printable.Text(key.Name), Rights.Name(rights.Role), AppsOf(rights), UseOf(key, uses), key.Fingerprint];
    }

    private static string AppsOf(Rights rights) => rights.Apps.IsEmpty ? "all apps" : string.Join(' ', rights.Apps);

    private static string UseOf(AuthorizedKey key, ImmutableDictionary<string, KeyUse> uses) => uses.GetValueOrDefault(key.Fingerprint) is { } use
        ? use.Time.UtcDateTime.ToString("yyyy-MM-dd HH:mm 'UTC from '", CultureInfo.InvariantCulture) + use.Address
        : "never";

    private static string NameFrom(string text) =>
        text.Length <= LongestName && char.IsAsciiLetterOrDigit(text[0]) && text.All(c => char.IsAsciiLetterOrDigit(c) || "._@+-".Contains(c, StringComparison.Ordinal))
            ? text
            : throw new UserError($"'{Printable.Text(text)}' cannot be the name of a key: use up to {LongestName} letters, digits, '.', '_', '@', '+' and '-'.");

    private static Rights RightsFrom(CommandCall call)
    {
        try
        {
            return new(
                call.Option("--role") is { } role ? Rights.ParseRole(role) : Role.Admin,
                call.Option("--apps") is { } apps ? Rights.ParseApps(apps) : []);
        }
        catch (FormatException wrong)
        {
            throw UsageException.For(call.Verb.Usage, $"{wrong.Message}.");
        }
    }

    private static List<AuthorizedKey> Chosen(IReadOnlyList<AuthorizedKey> keys, string name) =>
        keys.Where(key => key.Name == name || key.Fingerprint == name).ToList() is { Count: > 0 } chosen
            ? chosen
            : throw new UserError($"there is no key '{Printable.Text(name)}'; 'keys' lists them.");

    /// <summary>A key that will let somebody add keys whenever they must.</summary>
    private static bool IsLastingAdmin(AuthorizedKey key) =>
        key.Options is { Expiry: null, IsAuthority: false } && key.ForcedCommand is null && Rights.Of(key.Options).Has(Right.Administer);
}
