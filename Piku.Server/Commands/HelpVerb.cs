using System.Reflection;

namespace Piku.Server.Commands;

/// <summary><c>help</c>, <c>version</c> and <c>update</c>.</summary>
internal static class HelpVerb
{
    public static string Version { get; } =
        typeof(HelpVerb).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    public static async Task<int> RunAsync(CommandCall call, CancellationToken cancel)
    {
        var text = call.Arguments is not [var name] ? HelpText.Overview(call.Piku.Paths)
            : VerbTable.Find(call.Piku.Paths, name) is { IsForPeople: true } verb ? HelpText.For(verb)
            : throw new UsageException($"there is no command '{Printable.Text(name)}'{VerbTable.Suggestion(name)}.");
        await call.SayAsync(text, cancel);
        return 0;
    }

    public static async Task<int> VersionAsync(CommandCall call, CancellationToken cancel)
    {
        await call.SayAsync($"piku {Version}", cancel);
        return 0;
    }

    /// <summary>A daemon does not replace itself while it serves: who installed it upgrades it.</summary>
    public static async Task<int> UpdateAsync(CommandCall call, CancellationToken cancel)
    {
        await call.SayAsync($"""
            This is piku {Version}. Upgrade it on the server, in the way in which it was installed:

              from a package    sudo apt-get update && sudo apt-get install piku
              from its source   git pull && ./run

            Apps keep running, with their settings and data.
            """, cancel);
        return 0;
    }
}
