using System.Reflection;
using Piku.Core.Settings;

namespace Piku.Server.Commands;

/// <summary><c>help</c>, <c>version</c> and <c>update</c>.</summary>
internal static class HelpVerb
{
    public static string Version { get; } =
        typeof(HelpVerb).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    public static async Task<int> RunAsync(CommandCall call, CancellationToken cancel)
    {
        await call.SayAsync(TextFor(call), cancel);
        return 0;
    }

    private static string TextFor(CommandCall call) => call.Arguments switch
    {
        [] => HelpText.Overview(call.Piku.Paths),
        ["settings"] => SettingTable.Help("").TrimEnd(),
        ["settings", var word] => SettingTable.Help(word) is { Length: > 0 } found ? found.TrimEnd()
            : throw new UsageException($"no setting is about '{Printable.Text(word)}'; 'help settings' lists all."),
        [var name] => VerbTable.Find(call.Piku.Paths, name) is { IsForPeople: true } verb ? HelpText.For(verb)
            : throw new UsageException($"there is no command '{Printable.Text(name)}'{VerbTable.Suggestion(name)}."),
        [var name, var more, ..] => throw UsageException.For(call.Verb.Usage, $"'help {Printable.Text(name)}' does not take '{Printable.Text(more)}'."),
    };

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
