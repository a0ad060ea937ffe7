using Piku.Core.Model;
using Piku.Server.Commands;
using Piku.Server.Ssh.Authentication;

namespace Piku.Tests.Commands;

public sealed class RightsTests
{
    private const string Ed25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea";

    private static readonly KeyRules Rules = new(new PikuPaths("/nonexistent"));

    /// <summary>What each role may do; every verb of the table is in it, so that a new one is thought about here.</summary>
    public static TheoryData<string, bool, bool> Verbs => new()
    {
        { "apps", true, true }, { "help", true, true }, { "version", true, true }, { "update", true, true },
        { "config", true, true }, { "config:live", true, true }, { "logs", true, true }, { "ps", true, true },
        { "releases", true, true }, { "disk", true, true },
        { "git-upload-pack", true, true }, { "git-upload-archive", true, true },
        { "sftp-server", true, true }, { "scp", true, true }, // each app's files by the rights to the app
        { "config:get", false, true }, { "config:set", false, true }, { "config:unset", false, true },
        { "deploys", true, true }, { "deploys:cancel", false, true },
        { "deploy", false, true }, { "restart", false, true }, { "stop", false, true }, { "ps:scale", false, true },
        { "releases:log", false, true }, { "rollback", false, true }, // a build may print secrets
        { "run", false, true }, { "git-receive-pack", false, true },
        { "destroy", false, false }, { "setup", false, false }, { "setup:ssh", false, false },
        { "keys", false, false }, { "keys:add", false, false }, { "keys:remove", false, false }, { "keys:show", false, false },
    };

    [Theory]
    [MemberData(nameof(Verbs))]
    public void A_role_may_do_what_it_is_for(string verb, bool reader, bool deployer)
    {
        var needs = VerbTable.Find(verb)!.Needs;
        Assert.Equal((reader, deployer, true), (Of("PIKU_ROLE=reader").Has(needs), Of("PIKU_ROLE=deployer").Has(needs), Of("PIKU_ROLE=admin").Has(needs)));
    }

    [Fact]
    public void Every_verb_is_in_the_table_above() =>
        Assert.Equal(VerbTable.All.Select(verb => verb.Name).Order(StringComparer.Ordinal), Verbs.Select(row => row.Data.Item1).Order(StringComparer.Ordinal));

    [Theory]
    [InlineData("blog", "blog", true)]
    [InlineData("blog", "blog2", false)]
    [InlineData("blog", "Blog", false)]
    [InlineData("blog shop-*", "shop-eu", true)]
    [InlineData("blog,shop-*", "shop-", true)]
    [InlineData("shop-*", "shop", false)]
    [InlineData("*-eu", "shop-eu", true)]
    [InlineData("*", "anything", true)]
    [InlineData("a*c*e", "abcde", true)]
    [InlineData("a.c", "abc", false)]
    public void A_key_may_see_the_apps_that_it_is_for(string apps, string app, bool may)
    {
        var rights = Of($"PIKU_APPS={apps}");
        Assert.Equal((may, may, may), (rights.MaySee(AppName.Parse(app)), rights.MayRead(AppName.Parse(app)), rights.MayWrite(AppName.Parse(app))));
        Assert.Equal(may, Record.Exception(() => rights.Demand(Right.Deploy, AppName.Parse(app), "deploy")) is null);
    }

    [Fact]
    public void A_key_without_rights_in_its_line_may_do_everything()
    {
        var rights = Rights.Of(KeyOptions.None);
        Assert.Equal((Role.Admin, true), (rights.Role, rights.MayForward));
        Assert.All(Enum.GetValues<Right>(), right => Assert.True(rights.Has(right)));
    }

    [Fact]
    public void An_admin_of_some_apps_decides_nothing_for_the_others()
    {
        var rights = Of("PIKU_APPS=blog");
        Assert.Equal((true, false, false), (rights.Has(Right.Destroy), rights.Has(Right.Administer), rights.MayForward));
        Assert.Contains("admins of all apps", Assert.Throws<UserError>(() => rights.Demand(Right.Administer, null, "keys")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_reader_writes_nothing() =>
        Assert.Equal((true, false), (Of("PIKU_ROLE=reader").MayRead(AppName.Parse("blog")), Of("PIKU_ROLE=reader").MayWrite(AppName.Parse("blog"))));

    [Theory]
    [InlineData("environment=\"PIKU_ROLE=deployer\"", false)]
    [InlineData("environment=\"PIKU_ROLE=deployer\",permitopen=\"localhost:5432\"", true)]
    [InlineData("environment=\"PIKU_ROLE=deployer\",permitopen=\"localhost:5432\",no-port-forwarding", false)]
    [InlineData("no-port-forwarding", false)]
    [InlineData("pty", true)]
    public void Ports_are_forwarded_for_admins_and_where_the_line_says_so(string options, bool may) =>
        Assert.Equal(may, Rights.Of(KeyOf(options).Options).MayForward);

    [Theory]
    [InlineData("environment=\"PIKU_ROLE=root\"", "there is no role 'root': it is admin, deployer or reader")]
    [InlineData("environment=\"PIKU_ROLE=\"", "there is no role ''")]
    [InlineData("environment=\"PIKU_APPS=\"", "PIKU_APPS names no app")]
    [InlineData("environment=\"PIKU_APPS=blog ../x\"", "'../x' is not the name of an app")]
    [InlineData("environment=\"PIKU_APPS=sh?p\"", "'sh?p' is not the name of an app")]
    [InlineData("environment=\"PIKU_APP=blog\"", "there is no PIKU_APP, only PIKU_ROLE and PIKU_APPS")]
    [InlineData("environment=\"Piku_Role=reader\"", "there is no Piku_Role")]
    [InlineData("command=\"NAME=bob PIKU_ROLE=reader /home/piku/piku.py $SSH_ORIGINAL_COMMAND\"", "rights stand in environment=")]
    [InlineData("command=\"/bin/sh\"", "only a command of piku's can be run")]
    [InlineData("command=\"logs 'blog\",pty", "only a command of piku's can be run")]
    public void Rights_that_cannot_be_read_disable_the_line(string options, string problem)
    {
        var text = AuthorizedKeysText.Parse($"{options} {Ed25519}", KeyRules.UpstreamProgram, Rules.Check);
        Assert.Empty(text.Keys);
        Assert.Contains(problem, Assert.Single(text.Problems).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("command=\"logs blog\"", "logs blog")]
    [InlineData("command=\"config:get blog PIKU_AUTO_RESTART\"", "config:get blog PIKU_AUTO_RESTART")]
    [InlineData("command=\"FINGERPRINT=SHA256:x NAME=alice /home/piku/piku.py $SSH_ORIGINAL_COMMAND\"", null)]
    public void A_command_of_ours_is_forced_and_that_of_upstream_is_not(string options, string? forced) =>
        Assert.Equal(forced, KeyOf(options).ForcedCommand);

    private static Rights Of(string variable) => Rights.Of(KeyOf($"environment=\"{variable}\"").Options);

    private static AuthorizedKey KeyOf(string options)
    {
        var text = AuthorizedKeysText.Parse($"{options} {Ed25519}", KeyRules.UpstreamProgram, Rules.Check);
        Assert.Empty(text.Problems);
        return text.Keys.Single();
    }
}
