using Piku.Core.Model;
using Piku.Server.Commands;

namespace Piku.Tests.Commands;

public sealed class PluginVerbsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private PikuPaths Paths => new(_folder.Path);

    [Fact]
    public void A_program_is_a_verb_and_other_files_are_not()
    {
        Write("backup/backup:run", executable: true);
        Write("backup/README", executable: true);
        Write("backup/data", executable: false);
        Write("backup/__init__.py", executable: false);
        Write("backup/hooks/post-deploy", executable: true);
        Write("another/backup:run", executable: true);
        Write("another/apps", executable: true);

        Assert.Equal(["apps", "backup:run"], PluginVerbs.All(Paths).Select(verb => verb.Name));
        Assert.Equal(VerbTable.All.Length + 1, VerbTable.With(Paths).Length);
        Assert.Same(VerbTable.Find("apps"), VerbTable.Find(Paths, "apps"));
        Assert.Null(PluginVerbs.Find(Paths, "../backup/backup:run"));
        Assert.Null(PluginVerbs.Find(Paths, "hooks"));
    }

    [Theory]
    [InlineData("Usage: APP [SINCE]\nNeeds: read\nShow the visits of an app.\n", "visits APP [SINCE]", Right.Read, "Show the visits of an app.")]
    [InlineData("Show all.\nNeeds: nothing\n", "visits [ARGUMENT...]", Right.None, "Show all.")]
    [InlineData("Needs: everything\n", "visits [ARGUMENT...]", Right.Administer, "Of the plugin 'statistics'.")]
    [InlineData(null, "visits [ARGUMENT...]", Right.Administer, "Of the plugin 'statistics'.")]
    internal void Its_help_makes_it_a_row_of_the_table(string? help, string usage, Right needs, string summary)
    {
        Write("statistics/visits", executable: true);
        if (help is not null)
            File.WriteAllText(Path.Combine(Paths.Plugins, "statistics", "visits.help"), help);

        var verb = PluginVerbs.Find(Paths, "visits")!;
        Assert.Equal((usage, needs, summary), (verb.Usage.ToString(), verb.Needs, verb.Summary));
        Assert.Equal(["blog", "-x", "--", "y"], verb.Usage.Read(["blog", "-x", "--", "y"]).Words);
    }

    private void Write(string name, bool executable)
    {
        var file = Path.Combine(Paths.Plugins, name);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, "#!/bin/sh\n");
        File.SetUnixFileMode(file, executable ? (UnixFileMode)0b111_101_101 : (UnixFileMode)0b110_100_100);
    }
}
