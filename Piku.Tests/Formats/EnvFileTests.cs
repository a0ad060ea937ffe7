using CsCheck;
using Piku.Core.Formats;
using Piku.Core.Model;

namespace Piku.Tests.Formats;

public sealed class EnvFileTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("# c\n\n \t\nA=1\n", "A→1")]
    [InlineData("\uFEFFA=1\r\nB=2\r\n", "A→1|B→2")]
    [InlineData(" A = spaced \n", "A→spaced")]
    [InlineData("B=\"quoted\"\nC='single'", "B→\"quoted\"|C→'single'")]
    [InlineData("I=a=b=c\nM=\nK=x # trailing", "I→a=b=c|M→|K→x # trailing")]
    [InlineData("  # indented comment = y\n\t#x\nexport L=1\nexport\t M = 2\nexported=3\nexport=4", "L→1|M→2|exported→3|export→4")]
    [InlineData("A=1\nA=2", "A→1|A→2")]
    [InlineData("O=café\nP=%d %% $(id) `id`\nR=a\\nb", "O→café|P→%d %% $(id) `id`|R→a\\nb")]
    [InlineData("N=$HOME/${X}", "N→$HOME/${X}")]
    [InlineData("_a1=1\nlower=2", "_a1→1|lower→2")]
    public void Lines_are_name_and_value_as_written(string text, string expected) =>
        Assert.Equal(expected, string.Join('|', EnvFile.Parse(text, "ENV").Select(pair => $"{pair.Key}→{pair.Value}")));

    [Theory]
    [InlineData("A=1\nthis is bad\nB=2", "ENV line 2: a setting is NAME=value, and this has no '='.")]
    [InlineData("=x", "ENV line 1: a setting is NAME=value, and this has no name.")]
    [InlineData("\n\nA=b\0c", "ENV line 3: the value of 'A' has a line break or a NUL")]
    [InlineData("A\0B=c", "ENV line 1: the name of a setting has a control character.")]
    [InlineData("A=1\nBAD-NAME=x", "ENV line 2: this is not the name of a variable: use letters (A-Z, a-z), digits and '_', and do not begin with a digit")]
    [InlineData("a.b=x", "ENV line 1: this is not the name of a variable")]
    [InlineData("1x=x", "ENV line 1: this is not the name of a variable")]
    [InlineData("é=x", "ENV line 1: this is not the name of a variable")]
    [InlineData("TWO WORDS=x", "ENV line 1: this is not the name of a variable")]
    public void A_malformed_line_is_refused_with_file_and_line(string text, string message) =>
        Assert.StartsWith(message, Assert.Throws<UserError>(() => EnvFile.Parse(text, "ENV")).Message, StringComparison.Ordinal);

    [Fact]
    public void The_message_never_shows_what_may_be_a_secret() =>
        Assert.DoesNotContain("hunter2", Assert.Throws<UserError>(() => EnvFile.Parse("hunter2", "ENV")).Message, StringComparison.Ordinal);

    [Fact]
    public void What_was_stored_when_any_name_was_taken_is_still_read() =>
        Assert.Equal([new("a.b-c", "1"), new("1x", "2")], EnvFile.ParseAnyNames("a.b-c=1\n1x=2\n", "ENV"));

    [Theory]
    [InlineData("F=one", "F", "one")]
    [InlineData("F=a=b $X 'q' \"d\"", "F", "a=b $X 'q' \"d\"")]
    [InlineData("F=", "F", "")]
    public void An_argument_of_config_set_is_taken_exactly(string argument, string name, string value) =>
        Assert.Equal(new(name, value), EnvFile.ParseArgument(argument));

    [Theory]
    [InlineData("two", "'two' is not NAME=value. A value with blanks needs quotes that arrive here")]
    [InlineData("BAD-NAME=x", "'BAD-NAME' is not the name of a variable")]
    [InlineData("a.b=x", "'a.b' is not the name of a variable")]
    [InlineData("1x=x", "'1x' is not the name of a variable")]
    [InlineData("=x", "'' is not the name of a variable")]
    [InlineData(" F=x", "' F' is not the name of a variable")]
    [InlineData("F= x", "the value of 'F' begins or ends with a blank or a line break, which is not kept")]
    [InlineData("F=x\n", "the value of 'F' begins or ends with a blank or a line break, which is not kept")]
    [InlineData("F=x\ny", "the value of 'F' has a line break")]
    public void What_would_be_kept_differently_is_refused_with_the_word_that_is_wrong(string argument, string message) =>
        Assert.StartsWith(message, Assert.Throws<UserError>(() => EnvFile.ParseArgument(argument)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("#A", "x")]
    [InlineData("export A", "x")]
    [InlineData("A", "a\nB=b")]
    [InlineData("A", "a\rB=b")]
    [InlineData("A", "\0")]
    [InlineData("A\nB", "x")]
    [InlineData("A=B", "x")]
    [InlineData("", "x")]
    [InlineData(" A", "x")]
    [InlineData("A", " x")]
    public void What_would_read_back_differently_is_not_written(string name, string value) =>
        Assert.Throws<UserError>(() => EnvFile.Write([new(name, value)]));

    [Fact]
    public void A_value_may_be_as_long_as_linux_allows_and_no_longer()
    {
        var longest = new string('x', EnvFile.MaxVariableBytes - 2);
        Assert.Equal(longest, Assert.Single(EnvFile.Parse($"A={longest}", "ENV")).Value);
        Assert.Throws<UserError>(() => EnvFile.Parse($"A={longest}x", "ENV"));
    }

    [Fact]
    public void What_is_written_reads_back() => Gen.Select(Gen.String, Gen.String).Array.Sample(pairs =>
    {
        var settings = pairs.Select(pair => KeyValuePair.Create(pair.Item1, pair.Item2)).Where(IsWritable).ToArray();
        Assert.Equal(settings, EnvFile.ParseAnyNames(EnvFile.Write(settings), "ENV"));
    });

    private static bool IsWritable(KeyValuePair<string, string> pair)
    {
        try
        {
            return EnvFile.Write([pair]).Length > 0;
        }
        catch (UserError)
        {
            return false;
        }
    }
}
