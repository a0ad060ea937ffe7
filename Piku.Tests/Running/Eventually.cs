using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Piku.Tests.Running;

/// <summary>Waiting for what will be so. Limits are for a quiet machine (<see cref="Pace"/>).</summary>
internal static class Eventually
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
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
            if (watch.Elapsed > Pace.Scale(limit ?? Patience))
                Assert.Fail($"not within {watch.Elapsed.TotalSeconds:0} s: {explain?.Invoke() ?? what}");
            await Task.Delay(Pause, TestContext.Current.CancellationToken);
        }
    }
}
