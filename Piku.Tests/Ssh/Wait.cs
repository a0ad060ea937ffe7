namespace Piku.Tests.Ssh;

internal static class Wait
{
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    /// <summary>Waits until the condition holds, and fails when it does not within the limit.</summary>
    public static async Task UntilAsync(Func<bool> condition)
    {
        var end = DateTime.UtcNow + Limit;
        while (!condition())
        {
            Assert.True(DateTime.UtcNow < end, "the condition did not come true in time");
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
    }
}
