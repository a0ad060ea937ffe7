using Piku.Core.Formats;
using Piku.Core.Workers;

namespace Piku.Tests.Plans;

public sealed class NeedsTests
{
    [Theory]
    [InlineData("web: x", "package.json", "A=file", Need.Nothing)]
    [InlineData("web: x", "package.json", "B=$A", Need.Processes)]
    [InlineData("web: x", "package.json", "A=other", Need.Processes)]
    [InlineData("web: x", "package.json", "NODE_PACKAGE_MANAGER=yarn", Need.Build)]
    [InlineData("wsgi: x", "requirements.txt", "A=other", Need.Processes)]
    [InlineData("wsgi: x", "requirements.txt", "PYTHON_VERSION=3.11", Need.Build)]
    [InlineData("web: x\nrelease: y", "package.json", "A=other", Need.Build)]
    [InlineData("web: x\npreflight: y", "package.json", "A=other", Need.Build)]
    [InlineData("web: x", "pom.xml", "A=other", Need.Build)]
    [InlineData("static: x", "", "A=other", Need.Processes)]
    public void A_setting_needs_what_its_content_asks_for(string procfile, string entry, string config, Need need)
    {
        var before = TestApp.With(procfile, "A=file", entry) with { EnvEntries = ["bin/activate", "node_modules"] };
        Assert.Equal(need, Needs.Between(before, before with { ConfigEnv = EnvFile.Parse(config, "ENV") }));
    }

    [Theory]
    [InlineData("web:1", Need.Nothing)]
    [InlineData("web:2", Need.Processes)]
    [InlineData("gone:2", Need.Nothing)]
    public void A_count_never_needs_a_build(string scaling, Need need)
    {
        var before = TestApp.With("web: x\nrelease: y", "", "pom.xml");
        Assert.Equal(need, Needs.Between(before, before with { Scaling = Scaling.Parse(scaling) }));
    }
}
