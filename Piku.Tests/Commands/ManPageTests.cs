using System.Text;
using Piku.Core.Settings;
using Piku.Server.Commands;
using Piku.Server.Hosting;

namespace Piku.Tests.Commands;

/// <summary>packaging/piku.1 has every command, option and setting, as the tables have them.</summary>
public sealed class ManPageTests
{
    private static readonly string File = Path.Combine(SourceTree.Root, "packaging", "piku.1");

    /// <summary>With UPDATE_DOCS set, writes the page instead of comparing it.</summary>
    [Fact]
    public void The_page_is_what_the_tables_say()
    {
        if (Environment.GetEnvironmentVariable("UPDATE_DOCS") is { Length: > 0 })
            System.IO.File.WriteAllText(File, Page());
        Assert.Equal(Page(), System.IO.File.ReadAllText(File));
    }

    [Fact]
    public async Task Man_has_nothing_against_it()
    {
        Assert.SkipUnless(Core.Machine.Tools.Find("groff", EndToEnd.Programs.SearchPath) is not null, "groff is not installed");
        var run = await EndToEnd.Programs.CaptureAsync(new() { Program = "groff", Arguments = ["-man", "-ww", "-z", "-Tutf8", File], Folder = "/", Environment = Core.Model.EnvMap.Empty.With("PATH", EndToEnd.Programs.SearchPath) });
        Assert.Equal("", run.Error);
    }

    private static string Page()
    {
        var page = new StringBuilder(
            """
            .\" Made from the tables of commands, options and settings.
            .TH PIKU 1
            .SH NAME
            piku \- deploy web apps by git push
            .SH SYNOPSIS
            .B piku serve
            .RB [ \-\-authorize
            .IR FILE.pub ]...
            .br
            .B piku
            .I COMMAND
            .RI [ ARGUMENT ...]
            .br
            .B ssh \-p
            .I PORT
            .BI piku@ HOST
            .I COMMAND
            .RI [ ARGUMENT ...]
            .br
            .B git push
            .BI ssh://piku@ HOST : PORT / APP
            .B main
            .SH DESCRIPTION
            .B piku serve
            is the daemon: it takes pushes over an SSH endpoint of its own, builds apps, and has uWSGI's emperor and nginx run
            and serve them. The commands are the same over ssh and on the server itself. What went wrong is said on standard
            error: exit status 1 for what cannot be done, 2 for a command line that is not understood.

            """);
        Section(page, "COMMANDS", VerbTable.All.Where(verb => verb.IsForPeople).Select(verb => (verb.Usage.ToString(), verb.Summary)));
        Section(page, "OPTIONS OF THE DAEMON", OptionTable.All.Select(option =>
            (option.Key + (option.Variable is null ? "" : $" ({option.Variable})"), option.Summary)), "In piku.toml as table.key, or as a variable of the environment.");
        foreach (var (title, settings) in SettingTable.Groups)
        {
            Section(page, $"SETTINGS OF APPS: {title}", settings.Select(one =>
                (one.Key, $"{one.Summary} ({one.Format}{(one.Default is { } value ? $"; {value}" : "")})")));
        }
        Section(page, "FILES",
        [
            ("~/.piku", "All that is kept; PIKU_ROOT in the environment names another folder."),
            ("~/.piku/piku.toml", "The options of the daemon."),
            ("~/.piku/authorized_keys", "Who may log in."),
            ("Procfile, ENV", "In an app's repository: what runs, and its settings."),
        ]);
        return page.ToString();
    }

    private static void Section(StringBuilder page, string title, IEnumerable<(string Term, string Text)> entries, string introduction = "")
    {
        page.Append($".SH {Escape(title)}\n{(introduction.Length > 0 ? $"{Escape(introduction)}\n" : "")}");
        foreach (var (term, text) in entries)
            page.Append($".TP\n.B {Escape(term)}\n{Escape(text)}\n");
    }

    /// <summary>As groff(7) has it: a backslash begins an escape, and a dot or a quote at the start of a line a request.</summary>
    private static string Escape(string text)
    {
        var escaped = text.Replace("\\", "\\e", StringComparison.Ordinal).Replace("-", "\\-", StringComparison.Ordinal);
        return escaped.Length > 0 && escaped[0] is '.' or '\'' ? $"\\&{escaped}" : escaped;
    }
}
