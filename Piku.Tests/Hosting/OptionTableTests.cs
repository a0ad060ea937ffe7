using System.Text.RegularExpressions;
using Piku.Core.Model;
using Piku.Server.Hosting;

namespace Piku.Tests.Hosting;

public sealed partial class OptionTableTests
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

    [Fact]
    public void Every_option_of_a_limit_takes_the_default_that_it_names()
    {
        foreach (var option in OptionTable.All.Where(option => option.Key.StartsWith("ssh.", StringComparison.Ordinal)))
        {
            if (Default().Match(option.Summary) is { Success: true } named)
                Assert.True(new PikuOptions().SshLimits == option.Apply(new PikuOptions(), named.Groups[1].Value).SshLimits, option.Summary);
        }
        Assert.NotEqual(new(), OptionTable.Read("[ssh]\nrekey_bytes = 1048576\n", "piku.toml", _ => null).SshLimits);
    }

    [GeneratedRegex("; \"?([0-9:]+)\"?[.,]")]
    private static partial Regex Default();

    [Theory]
    [InlineData("startups = \"9:50:5\"")]
    [InlineData("login_grace = 0")]
    [InlineData("tries = 0")]
    [InlineData("proxy_from = [\"10.0.0.1/8\"]")]
    [InlineData("proxy_from = [\"example.org\"]")]
    [InlineData("packet_length = 35000")]
    [InlineData("window = 67108865")]
    [InlineData("rekey_bytes = 1")]
    [InlineData("rekey_bytes = 1073741825")]
    [InlineData("penalties = { failure = -1 }")]
    public void What_is_no_value_is_refused_with_a_sentence(string line) =>
        Assert.Contains("but must be", Assert.Throws<UserError>(() => OptionTable.Read($"[ssh]\n{line}\n", "piku.toml", _ => null)).Message, StringComparison.Ordinal);
}
