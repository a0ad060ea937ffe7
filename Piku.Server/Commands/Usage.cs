using System.Collections.Immutable;

namespace Piku.Server.Commands;

/// <summary>
/// The arguments of a verb as its help shows them, and the check that follows from it: <c>APP</c> is required,
/// <c>[PROCESS]</c> optional, and a last <c>KEY=VALUE...</c> stands for one or more.
/// </summary>
internal sealed record Usage(string Verb, string Text)
{
    private readonly string[] _places = Text.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Exit status of a command that was not understood, as in POSIX utilities and upstream.</summary>
    public const int ExitStatus = 2;

    public bool TakesApp => _places is ["APP", ..];

    public override string ToString() => Text.Length == 0 ? Verb : $"{Verb} {Text}";

    /// <summary>Checks the number of arguments.</summary>
    /// <exception cref="UsageException">Too few or too many.</exception>
    public void Check(ImmutableArray<string> arguments)
    {
        var required = _places.Count(place => !place.StartsWith('['));
        if (arguments.Length < required)
            throw new UsageException($"'{Verb}' needs {Name(_places[arguments.Length])}. Usage: {this}");
        if (arguments.Length > _places.Length && !Text.EndsWith("...", StringComparison.Ordinal) && !Text.EndsWith("...]", StringComparison.Ordinal))
            throw new UsageException($"'{Verb}' does not take '{arguments[_places.Length]}'. Usage: {this}");
    }

    private static string Name(string place) => place.TrimEnd('.') switch
    {
        "APP" => "the name of an app",
        var name => name,
    };
}

/// <summary>The command line itself is wrong: the sentence goes to standard error and the exit status is 2.</summary>
internal sealed class UsageException(string message) : Exception(message)
{
    public static UsageException For(Usage usage, string problem) => new($"{problem} Usage: {usage}");
}
