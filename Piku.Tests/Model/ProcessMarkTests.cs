using Piku.Core.Model;

namespace Piku.Tests.Model;

public sealed class ProcessMarkTests
{
    private static readonly AppName Blog = AppName.Parse("blog"), Shop = AppName.Parse("shop");

    [Theory]
    [InlineData(ProcessPurpose.Worker, 0)]
    [InlineData(ProcessPurpose.Build, 1)]
    [InlineData(ProcessPurpose.Run, ProcessMark.Versions - 1)]
    public void Names_its_app_installation_and_purpose(ProcessPurpose purpose, int version)
    {
        var mark = ProcessMark.Of("/srv/piku", Blog, purpose, version);
        Assert.Equal(purpose, mark.Purpose);
        Assert.True(mark.IsOf("/srv/piku", Blog));
        Assert.False(mark.IsOf("/srv/piku", Shop));
        Assert.False(mark.IsOf("/srv/other", Blog));
        Assert.NotEqual(mark, ProcessMark.Of("/srv/piku", Blog, purpose, version ^ 1));
        Assert.True(mark.Number <= long.MaxValue);
    }

    [Fact]
    public void Is_read_from_the_limits_of_a_process()
    {
        var mark = ProcessMark.Of("/srv/piku", Blog, ProcessPurpose.Worker, 17);
        Assert.Equal(mark, ProcessMark.Read(Limits($"{mark.Number}")));
    }

    [Theory]
    [InlineData("unlimited")]
    [InlineData("1000")]
    [InlineData("0")]
    public void Is_no_limit_that_anybody_else_has_set(string limit) => Assert.Null(ProcessMark.Read(Limits(limit)));

    [Fact]
    public void Is_nowhere_in_other_text() => Assert.Null(ProcessMark.Read("Max file locks\n"));

    private static string Limits(string locks) => $"""
        Limit                     Soft Limit           Hard Limit           Units
        Max address space         unlimited            unlimited            bytes
        Max file locks            {locks,-20} unlimited            locks
        Max pending signals       96364                96364                signals

        """;
}
