using CsCheck;
using Piku.Core.Formats;
using Piku.Core.Model;

namespace Piku.Tests.Formats;

public sealed class ScalingTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("web:1\nworker:0\n", "web:1|worker:0")]
    [InlineData("\uFEFF# c\r\n\r\n web : 3 \r\n", "web:3")]
    [InlineData("a:1\nb:2\na:3", "a:3|b:2")]
    public void Lines_are_kind_and_count(string text, string expected) =>
        Assert.Equal(expected, Scaling.Parse(text).Write().TrimEnd('\n').Replace('\n', '|'));

    [Theory]
    [InlineData("web")]
    [InlineData("web:")]
    [InlineData(":1")]
    [InlineData("web:-1")]
    [InlineData("web:+1")]
    [InlineData("web:1.5")]
    [InlineData("web:1001")]
    [InlineData("web:99999999999999999999")]
    public void Anything_else_is_refused_with_its_line(string line) =>
        Assert.StartsWith("SCALING line 2: ", Assert.Throws<UserError>(() => Scaling.Parse($"a:1\n{line}")).Message, StringComparison.Ordinal);

    [Fact]
    public void A_kind_that_is_not_named_has_one_process()
    {
        var scaling = Scaling.Default.With("web", 2).With("worker", 0).With("web", 3);
        Assert.Equal((3, 0, 1), (scaling.Count("web"), scaling.Count("worker"), scaling.Count("other")));
        Assert.Equal("web:3\nworker:0\n", scaling.Write());
    }

    [Fact]
    public void Counts_from_elsewhere_are_for_kinds_that_have_none() =>
        Assert.Equal("web:2\ntask:0\n", Scaling.Parse("web:2").WithDefaults(Scaling.Parse("web:5\ntask:0")).Write());

    [Fact]
    public void What_is_written_reads_back() =>
        Gen.Select(Gen.String[Gen.Char["abcXYZ019_.-"], 1, 10], Gen.Int[0, Scaling.MaxCount]).Array.Sample(pairs =>
        {
            var scaling = pairs.Aggregate(Scaling.Default, (all, pair) => all.With(pair.Item1, pair.Item2));
            Assert.Equal(scaling.Counts, Scaling.Parse(scaling.Write()).Counts);
        });
}
