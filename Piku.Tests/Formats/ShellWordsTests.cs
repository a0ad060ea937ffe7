using CsCheck;
using Piku.Core.Formats;
using Piku.Core.Model;

namespace Piku.Tests.Formats;

public sealed class ShellWordsTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData(" \t\r\n ", "")]
    [InlineData("a b", "[a][b]")]
    [InlineData("  a   b\nc ", "[a][b][c]")]
    [InlineData("'a b' \"c d\"", "[a b][c d]")]
    [InlineData("A='x y'z", "[A=x yz]")]
    [InlineData("'' \"\" a''b", "[][][ab]")]
    [InlineData("a\\ b \\\\ \\' \\\"", "[a b][\\]['][\"]")]
    [InlineData("\"\\\" \\\\ \\n \\$ \\`\"", "[\" \\ \\n \\$ \\`]")]
    [InlineData("'\\'", "[\\]")]
    [InlineData("$HOME `id` $(id) *;|&><#", "[$HOME][`id`][$(id)][*;|&><#]")]
    [InlineData("a#b # c", "[a#b][#][c]")]
    [InlineData("é\u00A0ü", "[é\u00A0ü]")]
    [InlineData("a\\\nb", "[a\nb]")]
    public void Words_are_split_like_shlex(string text, string expected) =>
        Assert.Equal(expected, string.Concat(ShellWords.Split(text).Select(word => $"[{word}]")));

    [Theory]
    [InlineData("'a")]
    [InlineData("\"a")]
    [InlineData("\"a\\\"")]
    [InlineData("a\\")]
    [InlineData("it's")]
    public void What_is_not_closed_is_refused(string text) => Assert.Throws<UserError>(() => ShellWords.Split(text));

    [Theory]
    [InlineData("", "''")]
    [InlineData("abc/1.2:x=y", "abc/1.2:x=y")]
    [InlineData("a b", "'a b'")]
    [InlineData("it's", "'it'\\''s'")]
    [InlineData("$(id)", "'$(id)'")]
    public void A_word_is_quoted_when_it_must_be(string word, string expected) => Assert.Equal(expected, ShellWords.Quote(word));

    [Fact]
    public void What_is_joined_splits_into_the_same_words() =>
        Gen.String.Array.Sample(words => Assert.Equal(words, ShellWords.Split(ShellWords.Join(words))));
}
