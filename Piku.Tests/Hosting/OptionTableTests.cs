using Piku.Core.Model;
using Piku.Server.Hosting;

namespace Piku.Tests.Hosting;

public sealed class OptionTableTests
{
    /// <summary>With UPDATE_DOCS set, writes the page instead of comparing it.</summary>
    [Fact]
    public void The_page_of_options_is_what_the_table_says()
    {
        var page = Path.Combine(SourceTree.Root, "docs", "piku.toml.md");
        if (Environment.GetEnvironmentVariable("UPDATE_DOCS") is { Length: > 0 })
            File.WriteAllText(page, OptionTable.Document());
        Assert.Equal(OptionTable.Document(), File.ReadAllText(page));
    }

    [Fact]
    public void Options_of_limits_and_networks_are_read()
    {
        var options = OptionTable.Read(
            "[ssh]\nstartups = \"5:50:9\"\nstop_grace = 7\nproxy_from = [\"10.0.0.0/8\", \"::1\"]\n[ssh.penalties]\nexempt = []\nfailure = 9\n",
            "piku.toml", _ => null);

        Assert.Equal("5:50:9", options.SshLimits.Startups.ToString());
        Assert.Equal((7, 9), (options.SshLimits.StopGrace.TotalSeconds, options.SshLimits.Penalties.Failure.TotalSeconds));
        Assert.Equal("10.0.0.0/8,::1/128", options.SshProxies.ToString());
        Assert.Equal("", options.SshLimits.Penalties.Exempt.ToString());
    }

    [Theory]
    [InlineData("startups = \"9:50:5\"")]
    [InlineData("login_grace = 0")]
    [InlineData("tries = 0")]
    [InlineData("proxy_from = [\"10.0.0.1/8\"]")]
    [InlineData("proxy_from = [\"example.org\"]")]
    [InlineData("penalties = { failure = -1 }")]
    public void What_is_no_value_is_refused_with_a_sentence(string line) =>
        Assert.Contains("but must be", Assert.Throws<UserError>(() => OptionTable.Read($"[ssh]\n{line}\n", "piku.toml", _ => null)).Message, StringComparison.Ordinal);
}
