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

    [GeneratedRegex(@"\[(?:emerg|alert|crit|error)\] (?:\d+#\d+: )?(.+)")]
    private static partial Regex Complaint();
}
