using Piku.Tests;
using Piku.Tests.EndToEnd;
using Piku.Tests.Interop;
using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(SharedFirst))]

namespace Piku.Tests;

/// <summary>Begins with the tests that take turns on one daemon: all others have ended by the time that they have.</summary>
public sealed class SharedFirst : ITestCollectionOrderer
{
    private static readonly string[] Shared = [nameof(SharedInstance), nameof(InteropInstances)];

    public IReadOnlyCollection<T> OrderTestCollections<T>(IReadOnlyCollection<T> testCollections)
        where T : ITestCollection =>
        [.. testCollections.OrderBy(collection => Shared.Contains(collection.TestCollectionDisplayName) ? 0 : 1)];
}
