using System.Text;
using Piku.Core.Formats;
using Piku.Core.Model;

namespace Piku.Core.Settings;

/// <summary>Every setting there is. The documentation, the help and the hints about misspelt keys come from here.</summary>
public static class SettingTable
{
    /// <summary>The settings by what they are about, in the order in which they are explained.</summary>
    public static readonly (string Title, Setting[] Settings)[] Groups =
    [
        ("The app", AppSettings.All),
        ("Python and Node", RuntimeSettings.All),
        ("uWSGI", UwsgiSettings.All),
        ("nginx", NginxSettings.All),
    ];

    private static readonly string[] OurPrefixes = ["PIKU_", "NGINX_", "UWSGI_"];

    public static IEnumerable<Setting> All => Groups.SelectMany(group => group.Settings);

    public static Setting? Find(string key) => All.FirstOrDefault(setting => setting.Key == key);

    /// <summary>
    /// A sentence for every value that is passed over, and for every key that looks like one of ours and is none.
    /// Values that end a deploy are found where they are read.
    /// </summary>
    public static IEnumerable<string> Warnings(EnvMap env) =>
    [
        .. All.Where(setting => setting.IsForgiving).Select(setting => setting.Complaint(env)).OfType<string>()
            .Select(complaint => complaint + " It is passed over."),
        .. env.Keys.Where(IsUnknown).Select(Hint),
    ];

    /// <summary>A boolean that is neither yes nor no ends a deploy before anything is built, whether or not it would be read.</summary>
    /// <exception cref="UserError">There is one.</exception>
    public static void RefuseWrongBooleans(EnvMap env)
    {
        if (All.OfType<Setting<bool>>().Select(setting => setting.Complaint(env)).OfType<string>().FirstOrDefault() is { } complaint)
            throw new UserError(complaint);
    }

    /// <summary>The page of all settings, in Markdown.</summary>
    public static string Document()
    {
        var page = new StringBuilder(
            """
            # Settings

            An app sets these in its `ENV` file, one `KEY=value` a line, or with `config:set`, which has the last word.
            How quotes, comments and `$` are read is in [env.md](env.md). Booleans are true as `1`, `on`, `true`, `enabled`, `yes` or `y`,
            and false as `0`, `off`, `false`, `disabled`, `no` or `n`.

            """);
        foreach (var (title, settings) in Groups)
        {
            page.Append($"\n## {title}\n\n| key | value | default | what it does |\n|---|---|---|---|\n");
            foreach (var setting in settings)
                page.Append($"| `{setting.Key}` | {setting.Format} | {(setting.Default is { } text ? $"`{text}`" : "")} | {setting.Summary} |\n");
        }
        return page.ToString();
    }

    /// <summary>The same for a terminal: <c>help settings [WORD]</c>.</summary>
    /// <param name="word">Only the settings whose group, key or summary has it, in capitals or not; empty for all.</param>
    /// <returns>Empty when there is none.</returns>
    public static string Help(string word)
    {
        var text = new StringBuilder();
        foreach (var (title, settings) in Groups)
        {
            var chosen = Has(title, word) ? settings : [.. settings.Where(setting => Has(setting.Key, word) || Has(setting.Summary, word))];
            if (chosen.Length > 0)
                text.Append($"{title}:\n");
            foreach (var setting in chosen)
                text.Append($"  {setting.Key} ({setting.Format}{(setting.Default is { } value ? $", default {value}" : "")})\n      {setting.Summary}\n");
        }
        return text.ToString();
    }

    private static bool Has(string text, string word) => text.Contains(word, StringComparison.OrdinalIgnoreCase);

    private static bool IsUnknown(string key) =>
        OurPrefixes.Any(prefix => key.StartsWith(prefix, StringComparison.Ordinal)) && Find(key) is null;

    private static string Hint(string key)
    {
        var nearest = All.MinBy(setting => EditDistance.Between(key, setting.Key))!.Key;
        var hint = EditDistance.Between(key, nearest) <= 1 + (key.Length / 5) ? $": did you mean {nearest}?" : "; `help settings` lists all.";
        return $"{key} is not a setting{hint}";
    }
}
