using Xunit.v3;

namespace Piku.Tests.Running;

/// <summary>For tests that need root, a port or a program that has to be installed: <c>./test quick</c> leaves them out.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
internal sealed class NeedsMachineAttribute : Attribute, ITraitAttribute
{
    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() => [new("needs", "machine")];
}
