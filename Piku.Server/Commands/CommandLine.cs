using System.Collections.Immutable;
using Piku.Core.Formats;
using Piku.Core.Model;

namespace Piku.Server.Commands;

/// <summary>
/// What the caller typed: a verb, its words, and the text after the verb and the first argument exactly as it
/// was typed, because <c>run</c> hands that to a shell.
/// </summary>
/// <param name="Verb">The first word; empty when nothing was asked for.</param>
/// <param name="Arguments">The words after it, split as a POSIX shell splits.</param>
/// <param name="Tail">Everything behind the first argument, not split.</param>
internal sealed record CommandLine(string Verb, ImmutableArray<string> Arguments, string Tail)
{
    public static readonly CommandLine Empty = new("", [], "");

    /// <summary>A line with a byte that is no text.</summary>
    public static readonly CommandLine Unreadable = new("", [], "")
    {
        Problem = "the command has a byte that is not UTF-8, or a NUL: use a UTF-8 terminal, or encode the value, for example as base64. Nothing was done.",
    };

    /// <summary>Why the words could not be told apart; null when they could.</summary>
    public string? Problem { get; private init; }

    /// <summary>Reads the command of an SSH "exec" request (RFC 4254, section 6.5).</summary>
    public static CommandLine Parse(string? text)
    {
        var (verb, rest) = FirstWord(text ?? "");
        try
        {
            return Parse(verb, rest);
        }
        catch (UserError open)
        {
            return new(verb, [], "") { Problem = open.Message };
        }
    }

    /// <summary>Takes arguments that a shell has split already; <c>run</c> joins them again as ssh does.</summary>
    public static CommandLine From(IReadOnlyList<string> words) =>
        words.Count == 0 ? Empty : new(words[0], [.. words.Skip(1)], string.Join(' ', words.Skip(2)));

    private static CommandLine Parse(string verb, string rest)
    {
        if (verb.Length == 0)
            return Empty;
        var tail = FirstWord(rest).Remainder;
        // What follows the app's name in "run" is for the app's shell, quotes and all.
        var words = verb == "run" ? ShellWords.Split(FirstWord(rest).Word).AddRange(SplitPlainly(tail)) : ShellWords.Split(rest);
        return new(ShellWords.Split(verb) is [var only] ? only : verb, words, tail);
    }

    private static ImmutableArray<string> SplitPlainly(string text) =>
        [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)];

    private static (string Word, string Remainder) FirstWord(string text)
    {
        var trimmed = text.TrimStart(' ', '\t');
        var end = trimmed.AsSpan().IndexOfAny(' ', '\t');
        return end < 0 ? (trimmed, "") : (trimmed[..end], trimmed[end..].Trim(' ', '\t'));
    }
}
