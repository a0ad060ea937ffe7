using Piku.Core.Formats;

namespace Piku.Tests.Formats;

public sealed class SubordinateIdsTests
{
    [Theory]
    [InlineData("piku:100000:65536\n", 100000u, 65536u)]
    [InlineData("999:100000:65536", 100000u, 65536u)]
    [InlineData("other:1:65536\npiku:200000:65536\n", 200000u, 65536u)]
    [InlineData("piku:100000:10\npiku:200000:1000\npiku:300000:65536\n", 200000u, 1000u)]
    [InlineData("# piku:1:65536\n\npiku:100000:65536 \n", 100000u, 65536u)]
    [InlineData("piku:4294901760:65535\n", 4294901760u, 65535u)]
    public void The_first_range_that_is_of_use_is_the_users(string text, uint first, uint count) =>
        Assert.Equal((first, count), SubordinateIds.Parse(text, "piku", 999));

    [Theory]
    [InlineData("")]
    [InlineData("pikus:100000:65536\n")]
    [InlineData("9990:100000:65536\n")]
    [InlineData("piku:100000:999\n")]
    [InlineData("piku:0:65536\n")]
    [InlineData("piku:-1:65536\n")]
    [InlineData("piku:+5:65536\n")]
    [InlineData("piku:1e5:65536\n")]
    [InlineData("piku:100000\n")]
    [InlineData("piku:100000:65536:more\n")]
    [InlineData("piku:4294967000:65536\n")]
    [InlineData("piku:100000:99999999999\n")]
    public void What_is_no_range_gives_none(string text) => Assert.Null(SubordinateIds.Parse(text, "piku", 999));

    [Fact]
    public void Users_and_groups_must_have_enough_numbers_in_common()
    {
        Assert.Equal((200u, 1100u), SubordinateIds.Common((100, 1200), (200, 65536), fewest: 1000));
        Assert.Equal((100u, 1200u), SubordinateIds.Common((100, 1200), (100, 1200), fewest: 1000));
        Assert.Null(SubordinateIds.Common((100, 1000), (200, 1000), fewest: 1000));
        Assert.Null(SubordinateIds.Common((100, 1000), (5000, 1000), fewest: 1));
        Assert.Null(SubordinateIds.Common(null, (100, 1000), fewest: 1));
    }
}
