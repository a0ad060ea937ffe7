using Piku.Core.Model;

namespace Piku.Server.Commands;

/// <summary>Everything that explains the commands, made from <see cref="VerbTable"/>.</summary>
internal static class HelpText
{
    public static string Greeting(Caller caller, PikuPaths paths) => $"""
        Hello {Printable.Text(caller.Name)}, this is piku.

        {Overview(paths)}
        """;

    public static string Overview(PikuPaths paths) => $"""
        Usage: ssh -p PORT piku@HOST COMMAND [ARGUMENTS]

        {string.Join('\n', Lines(paths))}

        Deploy an app with: git push ssh://piku@HOST:PORT/APP main
        """;

    public static string For(Verb verb) => $"""
        Usage: {verb.Usage}

        {verb.Summary}
        """;

    private static IEnumerable<string> Lines(PikuPaths paths)
    {
        var verbs = VerbTable.With(paths).Where(verb => verb.IsForPeople).ToList();
        var width = verbs.Max(verb => verb.Usage.ToString().Length) + 2;
        return verbs.Select(verb => "  " + verb.Usage.ToString().PadRight(width) + verb.Summary);
    }
}
