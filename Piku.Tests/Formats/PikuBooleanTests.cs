using Piku.Core.Formats;

namespace Piku.Tests.Formats;

public sealed class PikuBooleanTests
{
    [Theory]
    [InlineData("1")]
    [InlineData("on")]
    [InlineData("TRUE")]
    [InlineData("Enabled")]
    [InlineData("yes")]
    [InlineData("Y")]
    public void These_say_yes(string value) => Assert.True(PikuBoolean.IsTrue(value));

    [Theory]
    [InlineData("0")]
    [InlineData("OFF")]
    [InlineData("false")]
    [InlineData("disabled")]
    [InlineData("No")]
    [InlineData("n")]
    public void These_say_no(string value) => Assert.True(PikuBoolean.IsFalse(value) && !PikuBoolean.IsTrue(value));

    [Theory]
    [InlineData("ture")]
    [InlineData("2")]
    [InlineData("")]
    public void These_say_neither(string value) => Assert.False(PikuBoolean.IsFalse(value) || PikuBoolean.IsTrue(value));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("off")]
    [InlineData("2")]
    [InlineData("t")]
    public void Everything_else_says_no(string? value) => Assert.False(PikuBoolean.IsTrue(value));
}
