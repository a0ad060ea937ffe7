using System.Collections.Concurrent;
using System.Reflection;
using Xunit.v3;

[assembly: EndsInTime]

namespace Piku.Tests.Running;

/// <summary>How long a test may take that may take longer than others.</summary>
/// <param name="minutes">On a quiet machine.</param>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class TimeLimitAttribute(double minutes) : Attribute
{
    /// <summary>Of a test that says nothing: short ones that always run, and explicit ones.</summary>
    private const double Ordinary = 3, Explicit = 60;

    public double Minutes => minutes;

    /// <summary>A test's limit on a quiet machine.</summary>
    public static TimeSpan Of(MethodInfo method) => TimeSpan.FromMinutes(
        method.GetCustomAttribute<TimeLimitAttribute>() is { } own ? own.Minutes
        : method.GetCustomAttribute<FactAttribute>() is { Explicit: true } ? Explicit
        : Ordinary);
}

/// <summary>
/// Cancels a test's token when it takes too long, and fails it. The limit grows while the machine is slow
/// (<see cref="Pace"/>). A test that does not end then ends the run, since nothing else can end it.
/// </summary>
[AttributeUsage(AttributeTargets.Assembly)]
internal sealed class EndsInTimeAttribute : BeforeAfterTestAttribute
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);
    private static readonly ConcurrentDictionary<string, Watch> Watches = new();

    public override void Before(MethodInfo methodUnderTest, IXunitTest test) =>
        Watches[test.UniqueID] = new Watch(TestContext.Current, test.TestDisplayName, TimeLimitAttribute.Of(methodUnderTest));

    public override void After(MethodInfo methodUnderTest, IXunitTest test)
    {
        if (!Watches.TryRemove(test.UniqueID, out var watch))
            return;
        watch.Dispose();
        Assert.True(watch.EndedAfter is null, $"ended after {watch.EndedAfter?.TotalSeconds:0} s, the limit on a machine {Pace.Factor:0.0} times as slow as a quiet one");
    }

    private sealed class Watch : IDisposable
    {
        private readonly long _begin = TimeProvider.System.GetTimestamp();
        private readonly Timer _timer;

        public Watch(ITestContext test, string name, TimeSpan quiet) =>
            _timer = new Timer(_ => LookAt(test, name, Pace.Scale(quiet)), null, Look, Look);

        public TimeSpan? EndedAfter { get; private set; }

        public void Dispose() => _timer.Dispose();

        private void LookAt(ITestContext test, string name, TimeSpan limit)
        {
            var taken = TimeProvider.System.GetElapsedTime(_begin);
            if (EndedAfter is null && taken > limit)
            {
                EndedAfter = taken;
                test.CancelCurrentTest();
            }
            else if (EndedAfter is { } ended && taken > 2 * ended)
            {
                Console.Error.WriteLine($"{name} was told to end after {ended.TotalSeconds:0} s and has not: the run ends here.");
                Environment.Exit(3);
            }
        }
    }
}
