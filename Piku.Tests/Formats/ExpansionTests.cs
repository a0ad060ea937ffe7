using Piku.Core.Formats;
using Piku.Core.Model;

namespace Piku.Tests.Formats;

public sealed class ExpansionTests
{
    private static readonly EnvMap Known = EnvMap.From([new("A", "spaced"), new("B", "\"quoted\""), new("A_x", "no"), new("é", "accent"), new("R", "$A")]);

    [Theory]
    [InlineData("$A/$B", "spaced/\"quoted\"")]
    [InlineData("${A}_x", "spaced_x")]
    [InlineData("$A_x", "no")]
    [InlineData("\\$A", "\\spaced")]
    [InlineData("$$A", "$spaced")]
    [InlineData("$NOPE and ${NOPE}", "$NOPE and ${NOPE}")]
    [InlineData("%d %% $(id) `id`", "%d %% $(id) `id`")]
    [InlineData("$", "$")]
    [InlineData("${", "${")]
    [InlineData("${}", "${}")]
    [InlineData("${A", "${A")]
    [InlineData("$é", "accent")]
    [InlineData("$R", "$A")]
    [InlineData("", "")]
    public void References_are_replaced_once_and_unknown_ones_stay(string text, string expected) =>
        Assert.Equal(expected, Expansion.Expand(text, Known));

    [Fact]
    public void A_layer_expands_against_what_is_set_before()
    {
        var below = EnvMap.From([new("PATH", "/bin"), new("A", "below")]);
        var layer = Expansion.Layer(below, EnvFile.Parse("B=$A\nA=second\nJ=$A\nPATH=$PATH:/opt/x\nA=$A!\n", "ENV"));
        Assert.Equal(
            EnvMap.From([new("PATH", "/bin:/opt/x"), new("A", "second!"), new("B", "below"), new("J", "second")]), layer);
    }

    [Fact]
    public void Doubling_ends_in_a_sentence_and_not_in_all_the_memory()
    {
        var settings = Enumerable.Repeat(KeyValuePair.Create("A", "$A$A"), 60).Prepend(new("A", "x"));
        Assert.Contains("expands to more than", Assert.Throws<UserError>(() => Expansion.Layer(EnvMap.Empty, settings)).Message, StringComparison.Ordinal);
    }
}
