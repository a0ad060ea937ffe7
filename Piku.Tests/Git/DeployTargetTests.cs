using Piku.Core.Git;
using Piku.Core.Model;

namespace Piku.Tests.Git;

public sealed class DeployTargetTests
{
    private static readonly string None = new('0', 40);
    private static readonly string One = new('1', 40);
    private static readonly string Two = new('2', 40);

    [Theory]
    [InlineData("refs/heads/main", "main")]
    [InlineData("refs/heads/feature/x", "feature/x")]
    public void A_push_of_one_branch_deploys_it(string name, string branch) =>
        Assert.Equal(new DeployTarget(branch, One), DeployTarget.Choose([new(None, One, name)], pinned: null));

    [Theory]
    [InlineData("refs/tags/v1")]
    [InlineData("refs/notes/commits")]
    public void Tags_and_other_refs_deploy_nothing(string name) =>
        Assert.Null(DeployTarget.Choose([new(None, One, name)], pinned: null));

    [Fact]
    public void A_deletion_deploys_nothing() =>
        Assert.Null(DeployTarget.Choose([new(One, None, "refs/heads/main")], pinned: null));

    [Fact]
    public void Of_several_branches_main_is_deployed() =>
        Assert.Equal(
            new DeployTarget("main", Two),
            DeployTarget.Choose([new(None, One, "refs/heads/x"), new(None, Two, "refs/heads/main")], pinned: null));

    [Fact]
    public void Several_branches_without_an_obvious_one_are_refused() =>
        Assert.Contains("PIKU_DEPLOY_BRANCH", Assert.Throws<UserError>(() =>
            DeployTarget.Choose([new(None, One, "refs/heads/x"), new(None, Two, "refs/heads/y")], pinned: null)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_pinned_branch_is_the_only_one_that_deploys()
    {
        RefUpdate[] push = [new(None, One, "refs/heads/main"), new(None, Two, "refs/heads/live")];
        Assert.Equal(new DeployTarget("live", Two), DeployTarget.Choose(push, pinned: "live"));
        Assert.Null(DeployTarget.Choose(push, pinned: "other"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("x y z")]
    [InlineData("1111111111111111111111111111111111111111 2222222222222222222222222222222222222222")]
    [InlineData("1111111111111111111111111111111111111111 $(id) refs/heads/main")]
    [InlineData("1111111111111111111111111111111111111111 2222222222222222222222222222222222222222 ")]
    public void What_is_not_a_ref_update_is_not_read_as_one(string line) => Assert.False(RefUpdate.TryParse(line, out _));
}
