using Piku.Server.Commands;

namespace Piku.Tests.Commands;

public sealed class UsageTests
{
    [Theory]
    [InlineData("APP NAME=VALUE...", "g51 -- L=-1", "g51 L=-1", "")]
    [InlineData("APP NAME=VALUE...", "g51 A=1 -- -x -y", "g51 A=1 -x -y", "")]
    [InlineData("FILE|-", "-", "-", "")]
    [InlineData("APP COMMAND...", "blog ls -l --all -- -x", "blog ls -l --all -- -x", "")]
    [InlineData("NAME [--apps APP...] [--role ROLE]", "bob --apps blog shop-* --role reader", "bob", "--apps=blog shop-*;--role=reader")]
    [InlineData("NAME [--apps APP...] [--role ROLE]", "--role=reader --apps=blog bob", "bob", "--apps=blog;--role=reader")]
    [InlineData("NAME [--apps APP...] [--role ROLE]", "bob", "bob", "")]
    [InlineData("NAME [--force]", "--force bob", "bob", "--force=")]
    public void Options_are_told_from_words(string usage, string typed, string words, string options)
    {
        var read = new Usage("verb", usage).Read([.. typed.Split(' ')]);
        Assert.Equal(words.Split(' '), read.Words);
        Assert.Equal(options, string.Join(';', read.Options.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}={pair.Value}")));
    }

    [Theory]
    [InlineData("APP", "-x", "'verb' has no option '-x'")]
    [InlineData("APP", "blog --force", "'verb' has no option '--force'")]
    [InlineData("NAME [--role ROLE]", "bob --role", "'--role' needs a value")]
    [InlineData("NAME [--role ROLE]", "bob --role --role", "'--role' needs a value")]
    [InlineData("NAME [--force]", "bob --force=yes", "'--force' takes no value")]
    [InlineData("NAME [--force]", "bob --force yes", "'verb' does not take 'yes'")]
    public void What_is_no_option_is_a_wrong_usage(string usage, string typed, string problem) =>
        Assert.StartsWith(problem, Assert.Throws<UsageException>(() => new Usage("verb", usage).Read([.. typed.Split(' ')])).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("config:set blog SECRET=hunter2 'B=two words' -- -C=3", "config:set blog SECRET=… B=… -- -C=…")]
    [InlineData("config:set blog hunter2", "config:set blog …")]
    [InlineData("config:sett blog SECRET=hunter2", "config:sett blog SECRET=…")]
    [InlineData("config:set blog 'SECRET=hunter2", "config:set …")]
    [InlineData("ps:scale blog web=2", "ps:scale blog web=2")]
    [InlineData("run blog env SECRET=hunter2 'PASS=a b' TOKEN='c d'x ls -l", "run blog env SECRET=… PASS=… TOKEN=… ls -l")]
    [InlineData("git-receive-pack '/blog'", "git-receive-pack /blog")]
    [InlineData("keys:add eve --role=reader --apps=blog", "keys:add eve --role=reader --apps=blog")]
    [InlineData("keys:add eve --secret=hunter2", "keys:add eve --secret=…")]
    [InlineData("keys:ad eve --role=reader", "keys:ad eve --role=…")]
    public void Values_of_settings_are_left_out_of_what_others_read(string typed, string text) =>
        Assert.Equal(text, Redaction.Of(CommandLine.Parse(typed)));
}
