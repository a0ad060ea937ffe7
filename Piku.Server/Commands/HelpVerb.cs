using System.Reflection;

namespace Piku.Server.Commands;

/// <summary><c>help</c> and <c>version</c>.</summary>
internal static class HelpVerb
{
    public static string Version { get; } =
        typeof(HelpVerb).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    public static async Task<int> RunAsync(CommandCall call, CancellationToken cancel)
    {
        var text = call.Arguments is not [var name] ? HelpText.Overview
            : VerbTable.Find(name) is { IsForPeople: true } verb ? HelpText.For(verb)
            : throw new UsageException($"there is no command '{Printable.Text(name)}'{VerbTable.Suggestion(name)}.");
        await call.SayAsync(text, cancel);
        return 0;
    }

    public static async Task<int> VersionAsync(CommandCall call, CancellationToken cancel)
    {
        await call.SayAsync($"piku {Version}", cancel);
        return 0;
    }
}
