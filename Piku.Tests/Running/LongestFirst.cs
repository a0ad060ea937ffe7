using Piku.Tests.EndToEnd;
using Piku.Tests.Interop;
using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(LongestFirst))]

namespace Piku.Tests.Running;

/// <summary>Begins with what takes longest, so that no core waits for it at the end. All else may come in any order.</summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly string[] Longest =
    [
        nameof(AppUsersInstance), nameof(InteropInstances), nameof(CrashTests), nameof(AppUserLifeTests), nameof(DaemonTests), nameof(RuntimeTests),
        nameof(RealToolsTests), nameof(DeployOrderTests), nameof(PushTests), nameof(FaultTests), nameof(FullDiskTests), nameof(RightsTests),
        nameof(ZeroDowntimeTests), nameof(SubmoduleTests), nameof(TakeoverTests), nameof(RollbackTests), nameof(BigPushTests), nameof(CrowdTests),
    ];

    public IReadOnlyCollection<T> OrderTestCollections<T>(IReadOnlyCollection<T> testCollections)
        where T : ITestCollection => [.. testCollections.OrderBy(collection => Place(collection))];

    /// <summary>A class without a collection of its own is one, called after it.</summary>
    private static int Place(ITestCollection collection)
    {
        var name = collection.TestCollectionDisplayName;
        var place = Array.FindIndex(Longest, longest => name == longest || name.EndsWith($".{longest}", StringComparison.Ordinal) || name.Contains($".{longest} ", StringComparison.Ordinal));
        return place < 0 ? Longest.Length : place;
    }
}
