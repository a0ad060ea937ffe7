using Piku.Core.Runtimes;

namespace Piku.Tests.Plans;

public sealed class ImpliedProcfileTests
{
    [Theory]
    [InlineData("index.html", null, "static=.")]
    [InlineData("package.json", """{"scripts":{"start":"node server.js"}}""", "web=npm start")]
    [InlineData("package.json index.html", """{"scripts":{"start":"vite preview"}}""", "web=npm start")]
    [InlineData("package.json index.html", """{"scripts":{"build":"vite build"}}""", null)]
    [InlineData("package.json", """{"scripts":{"start":7}}""", null)]
    [InlineData("package.json", "[]", null)]
    [InlineData("package.json", "{", null)]
    [InlineData("index.html requirements.txt app.py", null, null)]
    [InlineData("index.html index.php", null, null)]
    [InlineData("README", null, null)]
    public void What_an_app_without_a_procfile_runs_is_taken_from_files_that_leave_no_doubt(string entries, string? manifest, string? expected)
    {
        var implied = ImpliedProcfile.Of(entries.Split(' ').Contains, manifest);
        Assert.Equal(expected, implied is null ? null : string.Join('|', implied.Entries.Select(entry => $"{entry.Kind}={entry.Command}")));
        if (implied is not null)
            Assert.StartsWith("there is no Procfile; because ", Assert.Single(implied.Warnings), StringComparison.Ordinal);
    }
}
