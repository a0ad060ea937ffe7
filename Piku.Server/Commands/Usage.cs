using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Piku.Core.Model;

namespace Piku.Server.Commands;

/// <summary>
/// The arguments of a verb as its help shows them, and the check that follows from it: <c>APP</c> is required,
/// <c>[PROCESS]</c> optional, and a last <c>KEY=VALUE...</c> stands for one or more. <c>[--role ROLE]</c> is an option;
/// the words after one that ends in <c>...</c> are all its own. <c>COMMAND...</c> is taken as it stands, dashes and all.
/// </summary>
internal sealed partial record Usage(string Verb, string Text)
{
    private readonly string[] _places = OptionText().Replace(Text, "").Split(' ', StringSplitOptions.RemoveEmptyEntries);
    private readonly ImmutableArray<OptionPlace> _options = [.. OptionText().Matches(Text).Select(OptionPlace.From)];

    /// <summary>Exit status of a command that was not understood, as in POSIX utilities and upstream.</summary>
    public const int ExitStatus = 2;

    public bool TakesApp => _places is ["APP" or "[APP]", ..];

    public bool TakesRepository => _places is ["REPOSITORY", ..];

    /// <summary>Whether what is given are values that nobody else should read.</summary>
    public bool TakesValues => _places is [.., "NAME=VALUE..."];

    /// <summary>Whether what follows is for another program, which knows its own options.</summary>
    public bool TakesCommand => IsForProgram || _places is [.., "COMMAND..."];

    /// <summary>True for the verbs of plugins.</summary>
    public bool IsForProgram { get; init; }

    public bool TakesCounts => _places is [.., "KIND=COUNT..."];

    private bool TakesMany => IsForProgram || _places is [.., var last] && last.TrimEnd(']').EndsWith("...", StringComparison.Ordinal);

    /// <summary>True for an option of this verb, such as <c>--role</c>.</summary>
    public bool HasOption(string name) => _options.Any(option => option.Name == name);

    public override string ToString() => Text.Length == 0 ? Verb : $"{Verb} {Text}";

    /// <summary>The app that these arguments are about; null for a verb that is about none.</summary>
    /// <exception cref="UserError">It is not a name.</exception>
    public AppName? AppOf(ImmutableArray<string> words) =>
        TakesApp && !words.IsEmpty ? AppName.Parse(words[0].TrimEnd('/'))
        : TakesRepository ? AppName.FromGitPath(words[0])
        : null;

    /// <summary>Tells options from words, up to a <c>--</c>, and checks both.</summary>
    /// <exception cref="UsageException">Too few or too many words, or an option that is none.</exception>
    public ReadArguments Read(ImmutableArray<string> arguments)
    {
        var read = TakesCommand ? new([.. arguments], ReadArguments.NoOptions) : Separate(arguments);
        var required = _places.Count(place => !place.StartsWith('['));
        if (read.Words.Length < required)
            throw UsageException.For(this, $"'{Verb}' needs {Name(_places[read.Words.Length])}.");
        if (read.Words.Length > _places.Length && !TakesMany)
            throw UsageException.For(this, $"'{Verb}' does not take '{Printable.Text(read.Words[_places.Length])}'.");
        return read;
    }

    private ReadArguments Separate(ImmutableArray<string> arguments)
    {
        var words = ImmutableArray.CreateBuilder<string>();
        var options = ReadArguments.NoOptions;
        for (var i = 0; i < arguments.Length; i++)
        {
            if (arguments[i] == "--")
            {
                words.AddRange(arguments[(i + 1)..]);
                break;
            }
            if (arguments[i] is not ['-', _, ..])
            {
                words.Add(arguments[i]);
                continue;
            }
            var (name, value) = arguments[i].Split('=', 2) is [var before, var after] ? (before, after) : (arguments[i], null);
            var option = _options.FirstOrDefault(option => option.Name == name)
                ?? throw UsageException.For(this, $"'{Verb}' has no option '{Printable.Text(name)}'; what begins with a dash and is none goes behind '--'.");
            if (value is null)
            {
                var values = arguments.Skip(i + 1).TakeWhile(word => !word.StartsWith('-')).Take(option.MostValues).ToList();
                value = values.Count > 0 ? string.Join(' ', values) : null;
                i += values.Count;
            }
            if (value is null != (option.MostValues == 0))
                throw UsageException.For(this, value is null ? $"'{name}' needs a value." : $"'{name}' takes no value.");
            options = options.SetItem(name, value ?? "");
        }
        return new(words.ToImmutable(), options);
    }

    private static string Name(string place) => place.TrimEnd('.') switch
    {
        "APP" => "the name of an app",
        var name => name,
    };

    private sealed record OptionPlace(string Name, int MostValues)
    {
        public static OptionPlace From(Match match) => new(
            match.Groups["name"].Value,
            !match.Groups["value"].Success ? 0 : match.Groups["value"].Value.EndsWith("...", StringComparison.Ordinal) ? int.MaxValue : 1);
    }

    [GeneratedRegex(@"\[(?<name>--[a-z]+(?:-[a-z]+)*)(?: (?<value>[^\]]+))?\]")]
    private static partial Regex OptionText();
}

/// <summary>The arguments of a call, told apart.</summary>
/// <param name="Words">Those that are no options.</param>
/// <param name="Options">By name, dashes included; of several values, those separated by blanks; empty without a value.</param>
internal sealed record ReadArguments(ImmutableArray<string> Words, ImmutableDictionary<string, string> Options)
{
    public static readonly ImmutableDictionary<string, string> NoOptions = ImmutableDictionary.Create<string, string>(StringComparer.Ordinal);
}

/// <summary>The command line itself is wrong: the sentence goes to standard error and the exit status is 2.</summary>
internal sealed class UsageException(string message) : Exception(message)
{
    public static UsageException For(Usage usage, string problem) => new($"{problem} Usage: {usage}");
}
