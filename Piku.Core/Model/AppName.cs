using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Piku.Core.Model;

/// <summary>
/// The name of an app, and with it of its folders, vassals, site and socket. This is the security boundary:
/// a name is parsed or refused, never cleaned, and a value of this type is safe as one path segment.
/// Format (D6): <c>[A-Za-z0-9][A-Za-z0-9._-]{0,62}</c>, without <c>..</c>, not ending in <c>.git</c>.
/// </summary>
public sealed record AppName
{
    /// <summary>Longest name in characters: a DNS label's length (RFC 1035, section 2.3.4).</summary>
    public const int MaxLength = 63;

    private static readonly SearchValues<char> Allowed =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

    private AppName(string value) => Value = value;

    public string Value { get; }

    /// <summary>Reads a name as a person types it.</summary>
    /// <exception cref="UserError">The text is not a name; the message says what a name is.</exception>
    public static AppName Parse(string text) =>
        TryParse(text, out var name) ? name : throw new UserError(
            $"'{Printable(text)}' is not a valid app name: use up to {MaxLength} letters, digits, '.', '_' and '-', " +
            "beginning with a letter or a digit, without '..' and not ending in '.git'.");

    /// <summary>Reads a name; false for everything that is not one.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out AppName? name)
    {
        name = IsValid(text) ? new AppName(text!) : null;
        return name is not null;
    }

    /// <summary>
    /// Reads the path of a repository as git clients send it: <c>blog</c>, <c>/blog</c>, <c>blog.git</c>, <c>/blog.git/</c>,
    /// and from the home folder, as upstream takes it: <c>/~/blog</c>, <c>~/blog</c>, <c>./blog</c>.
    /// </summary>
    /// <exception cref="UserError">The path does not name an app.</exception>
    public static AppName FromGitPath(string path)
    {
        var text = path.StartsWith('/') ? path[1..] : path;
        text = text.StartsWith("~/", StringComparison.Ordinal) || text.StartsWith("./", StringComparison.Ordinal) ? text[2..] : text;
        if (text.EndsWith('/'))
            text = text[..^1];
        if (text.EndsWith(".git", StringComparison.Ordinal))
            text = text[..^4];
        return text.Contains('/', StringComparison.Ordinal)
            ? throw new UserError($"'{Printable(path)}' names a folder, and a repository here is an app's name alone: use ssh://piku@HOST:PORT/APP.")
            : Parse(text);
    }

    public override string ToString() => Value;

    private static bool IsValid([NotNullWhen(true)] string? text) =>
        text is { Length: > 0 and <= MaxLength }
        && char.IsAsciiLetterOrDigit(text[0])
        && !text.AsSpan().ContainsAnyExcept(Allowed)
        && !text.Contains("..", StringComparison.Ordinal)
        && !text.EndsWith(".git", StringComparison.OrdinalIgnoreCase);

    private static string Printable(string text)
    {
        var head = text.Length > MaxLength ? text[..MaxLength] + "…" : text;
        return string.Concat(head.Select(c => char.IsControl(c) ? '?' : c));
    }
}
