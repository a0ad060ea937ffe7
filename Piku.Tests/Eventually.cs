using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Piku.Tests;

/// <summary>Waiting for what will be so.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    /// <inheritdoc cref="TrueAsync(Func{Task{bool}}, TimeSpan?, Func{string}?, string)"/>
    public static Task TrueAsync(
        Func<bool> condition, TimeSpan? limit = null, Func<string>? explain = null, [CallerArgumentExpression(nameof(condition))] string what = "") =>
        TrueAsync(() => Task.FromResult(condition()), limit, explain, what);

    /// <summary>Fails, with an explanation, when the condition is not met in time.</summary>
    public static async Task TrueAsync(
        Func<Task<bool>> condition, TimeSpan? limit = null, Func<string>? explain = null, [CallerArgumentExpression(nameof(condition))] string what = "")
    {
        for (var watch = Stopwatch.StartNew(); !await condition();)
        {
            Assert.True(watch.Elapsed < (limit ?? Patience), $"not within {(limit ?? Patience).TotalSeconds} s: {explain?.Invoke() ?? what}");
            await Task.Delay(Pause, TestContext.Current.CancellationToken);
        }
    }
}
