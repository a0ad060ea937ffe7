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

    [Theory]
    [InlineData("there is no push option 'nodeploy'", "nodeploy")]
    [InlineData("there is no push option 'branch='", "branch=")]
    [InlineData("there is no push option ''", "")]
    [InlineData("there is no push option 'a?[31m'", "a\u001b[31m")]
    [InlineData("contradicts", "no-deploy", "rebuild")]
    [InlineData("contradicts", "branch=a", "no-deploy")]
    public void What_is_not_understood_is_refused(string why, params string[] options) =>
        Assert.Contains(why, Assert.Throws<UserError>(() => PushOptions.Parse(options)).Message, StringComparison.Ordinal);
}
