using System.Text;
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

    /// <summary>The page of all settings, in Markdown.</summary>
    public static string Document()
    {
        var page = new StringBuilder(
            """
            # Settings

            An app sets these in its `ENV` file, one `KEY=value` a line, or with `config:set`, which has the last word.
            Booleans are true as `1`, `on`, `true`, `enabled`, `yes` or `y`.

            """);
        foreach (var (title, settings) in Groups)
        {
            page.Append($"\n## {title}\n\n| key | value | default | what it does |\n|---|---|---|---|\n");
            foreach (var setting in settings)
                page.Append($"| `{setting.Key}` | {setting.Format} | {(setting.Default is { } text ? $"`{text}`" : "")} | {setting.Summary} |\n");
        }
        return page.ToString();
    }

    /// <summary>The same for a terminal: <c>help settings</c>.</summary>
    public static string Help()
    {
        var text = new StringBuilder();
        foreach (var (title, settings) in Groups)
        {
            text.Append($"{title}:\n");
            foreach (var setting in settings)
                text.Append($"  {setting.Key} ({setting.Format}{(setting.Default is { } value ? $", default {value}" : "")})\n      {setting.Summary}\n");
        }
        return text.ToString();
    }

    private static bool IsUnknown(string key) =>
        OurPrefixes.Any(prefix => key.StartsWith(prefix, StringComparison.Ordinal)) && Find(key) is null;

    private static string Hint(string key)
    {
        var nearest = All.MinBy(setting => Distance(key, setting.Key))!.Key;
        var hint = Distance(key, nearest) <= 1 + (key.Length / 5) ? $": did you mean {nearest}?" : "; `help settings` lists all.";
        return $"{key} is not a setting{hint}";
    }

    /// <summary>How many letters to add, drop or change to make one word of the other (Levenshtein).</summary>
    private static int Distance(string from, string to)
    {
        var row = Enumerable.Range(0, to.Length + 1).ToArray();
        for (var i = 1; i <= from.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= to.Length; j++)
            {
                var change = diagonal + (from[i - 1] == to[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(change, Math.Min(row[j], row[j - 1]) + 1);
            }
        }
        return row[to.Length];
    }
}
