using Piku.Core.Formats;
using Piku.Core.Model;
using Piku.Core.Workers;

namespace Piku.Tests.Plans;

public sealed class ScaleChangeTests
{
    [Theory]
    [InlineData("static", 2, "'static' has no processes to scale: nginx itself serves the folder.")]
    [InlineData("static", 0, "'static' has no processes to scale")]
    [InlineData("cron", 2, "'cron' is a schedule, which runs its command once at each of its times: use cron=1, or cron=0 to suspend it.")]
    [InlineData("cron2", 3, "'cron2' is a schedule")]
    [InlineData("release", 1, "'release' runs once at each deploy and is not scaled.")]
    [InlineData("a b", 1, "'a b' is not a kind")]
    [InlineData("gone", 1, "app 'blog' has no worker of kind 'gone'.")]
    public void A_count_that_a_kind_cannot_have_is_refused(string kind, int count, string sentence) =>
        Assert.StartsWith(sentence, Assert.Throws<UserError>(() => Apply("static:1\ncron:1\ncron2:1\nweb:1", isDeployed: true, (kind, count))).Message, StringComparison.Ordinal);

    [Fact]
    public void Before_the_first_version_runs_any_kind_may_come() =>
        Assert.Equal("task:0\nstatic:1\n", Apply("", isDeployed: false, ("task", 0), ("static", 1)).Write());

    [Fact]
    public void Other_kinds_stay_as_they_are() =>
        Assert.Equal("web:3\ncron:0\nworker:2\n", Apply("web:1\ncron:1\nworker:2", isDeployed: true, ("cron", 0), ("web", 3)).Write());

    private static Scaling Apply(string before, bool isDeployed, params (string Kind, int Count)[] counts) =>
        new ScaleChange([.. counts.Select(count => KeyValuePair.Create(count.Kind, count.Count))]).Apply(Scaling.Parse(before), AppName.Parse("blog"), isDeployed);
}
