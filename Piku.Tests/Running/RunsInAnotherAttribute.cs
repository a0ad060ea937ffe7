using Xunit.v3;

namespace Piku.Tests.Running;

/// <summary>For explicit tests that are the other side of a test, in a process of their own: <c>./test long</c> leaves them out.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class RunsInAnotherAttribute : Attribute, ITraitAttribute
{
    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() => [new("runs", "in-another")];
}
