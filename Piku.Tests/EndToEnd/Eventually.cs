using System.Diagnostics;

namespace Piku.Tests.EndToEnd;

/// <summary>Waiting for what will be so.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    public static Task TrueAsync(Func<bool> condition, TimeSpan limit, Func<string> explain) =>
        TrueAsync(() => Task.FromResult(condition()), limit, explain);

    /// <summary>Fails with the explanation when the condition is not met in time.</summary>
    public static async Task TrueAsync(Func<Task<bool>> condition, TimeSpan limit, Func<string> explain)
    {
        for (var watch = Stopwatch.StartNew(); !await condition();)
        {
            Assert.True(watch.Elapsed < limit, $"not within {limit.TotalSeconds} s: {explain()}");
            await Task.Delay(Pause, TestContext.Current.CancellationToken);
        }
    }
}
