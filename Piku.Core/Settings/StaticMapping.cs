using System.Collections.Immutable;
using System.Text.RegularExpressions;

namespace Piku.Core.Settings;

/// <summary>One item of NGINX_STATIC_PATHS, <c>/url:path</c>: what nginx serves itself, and from where.</summary>
/// <param name="Url">Begins with a slash.</param>
/// <param name="Path">Absolute, or relative to the app's folder.</param>
public sealed partial record StaticMapping(string Url, string Path)
{
    /// <summary>Reads the comma-separated list; false when an item has not exactly one colon, or something odd beside it.</summary>
    public static bool TryReadList(string text, out ImmutableArray<StaticMapping> mappings)
    {
        var items = Items(text).Select(item => Item().Match(item)).ToArray();
        mappings = [.. items.Where(item => item.Success).Select(item => new StaticMapping(item.Groups["url"].Value, item.Groups["path"].Value))];
        return mappings.Length > 0 && mappings.Length == items.Length;
    }

    /// <summary>Says which item of a list is none.</summary>
    public static string? Advice(string text) =>
        Items(text).FirstOrDefault(item => !Item().IsMatch(item)) is not { } wrong ? null
        : wrong.Contains('$', StringComparison.Ordinal) ? $"'{wrong}' names a variable that is not set."
        : $"'{wrong}' is none.";

    private static string[] Items(string text) => text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    /// <summary>A dollar sign would begin a variable of nginx's, in an address and in <c>alias</c> alike.</summary>
    [GeneratedRegex(@"^(?<url>/[A-Za-z0-9._~@/-]*)\s*:\s*(?<path>[^:$\0-\x1f]*[^:$\0-\x20])\z")]
    private static partial Regex Item();
}
