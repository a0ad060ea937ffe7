using Piku.Core.Git;
using Piku.Core.Model;

namespace Piku.Tests.Git;

public sealed class PushOptionsTests
{
    [Fact]
    public void Options_are_read_as_they_are_given()
    {
        Assert.Equal(new PushOptions(), PushOptions.Parse([]));
        Assert.Equal(new PushOptions(NoDeploy: true), PushOptions.Parse(["no-deploy"]));
        Assert.Equal(new PushOptions(Rebuild: true, Branch: "feature/a=b"), PushOptions.Parse(["rebuild", "branch=feature/a=b"]));
    }

    [Fact]
    public void Options_for_other_servers_are_passed_over_and_can_be_told()
    {
        var wish = PushOptions.Parse(["ci.skip", "rebuild", "nodeploy", "branch=", "", "a\u001b[31m"]);
        Assert.Equal((false, true, null), (wish.NoDeploy, wish.Rebuild, wish.Branch));
        Assert.Equal(["ci.skip", "nodeploy", "branch=", "", "a?[31m"], wish.Unknown);
    }

    [Theory]
    [InlineData("no-deploy", "rebuild")]
    [InlineData("branch=a", "no-deploy")]
    public void Contradictions_are_refused(params string[] options) =>
        Assert.Contains("contradicts", Assert.Throws<UserError>(() => PushOptions.Parse(options)).Message, StringComparison.Ordinal);
}
