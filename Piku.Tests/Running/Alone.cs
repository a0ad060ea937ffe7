namespace Piku.Tests.Running;

/// <summary>For tests that measure this whole process or change the machine: no other runs at the same time.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
