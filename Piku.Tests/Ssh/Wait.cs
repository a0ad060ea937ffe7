using System.Runtime.CompilerServices;

namespace Piku.Tests.Ssh;

internal static class Wait
{
    public static TimeSpan Limit => Pace.Scale(TimeSpan.FromSeconds(30));

    public static Task UntilAsync(Func<bool> condition, [CallerArgumentExpression(nameof(condition))] string what = "") =>
        Eventually.TrueAsync(condition, what: what);
}
