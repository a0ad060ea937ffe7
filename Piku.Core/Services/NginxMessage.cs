using System.Globalization;
using System.Text.RegularExpressions;

namespace Piku.Core.Services;

/// <summary>nginx's complaints, without their dress.</summary>
public static partial class NginxMessage
{
    /// <summary>
    /// The first thing that kept nginx from working, of what it wrote to standard error; null when there is none.
    /// <c>nginx: [emerg] unknown directive "x" in FILE:3</c> → <c>unknown directive "x" in FILE:3</c>.
    /// </summary>
    public static string? Read(string standardError) =>
        Complaint().Match(standardError) is { Success: true } match ? match.Groups[1].Value.TrimEnd('.', ' ') : null;

    /// <summary>The same with the place in the app's own file, where the line of the site has come from one.</summary>
    /// <param name="written">The file that nginx has read.</param>
    /// <param name="site">What is in it.</param>
    /// <param name="path">What the file will be called.</param>
    public static string WithOrigin(string complaint, string written, string site, string path)
    {
        var place = Regex.Match(complaint, $@"{Regex.Escape(written)}(:(?<line>\d+))?");
        if (!place.Success)
            return complaint;
        var origin = int.TryParse(place.Groups["line"].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var line)
            ? OriginOf(site.Split('\n').ElementAtOrDefault(line - 1) ?? "")
            : null;
        return complaint.Replace(place.Value, origin ?? place.Value.Replace(written, path, StringComparison.Ordinal), StringComparison.Ordinal);
    }

    /// <summary>A sentence for an address that nginx could not have, and where the site asks for it; null when it is about something else.</summary>
    public static string? OccupiedAddress(string complaint, string site)
    {
        if (Bind().Match(complaint) is not { Success: true } match)
            return null;
        var (address, reason) = (match.Groups["address"].Value, match.Groups["reason"].Value);
        var port = address[(address.LastIndexOf(':') + 1)..];
        var origin = site.Split('\n').Where(line => Regex.IsMatch(line, $@"^\s*listen .*\b{Regex.Escape(port)}\b")).Select(OriginOf).FirstOrDefault(place => place is not null);
        return $"it cannot listen at {address}{(origin is null ? "" : $", as {origin} says")} ({reason}). Choose another address or port, or end the program that has it.";
    }

    /// <summary>As a directive writes it behind itself.</summary>
    private static string? OriginOf(string line) => Origin().Match(line) is { Success: true } match ? match.Groups[1].Value : null;

    [GeneratedRegex(@"\[(?:emerg|alert|crit|error)\] (?:\d+#\d+: )?(.+)")]
    private static partial Regex Complaint();

    [GeneratedRegex(@"[;{] # (\S.*:\d+)$")]
    private static partial Regex Origin();

    [GeneratedRegex(@"bind\(\) to (?<address>\S+) failed \(\d+: (?<reason>[^)]+)\)")]
    private static partial Regex Bind();
}
